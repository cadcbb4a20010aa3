# Functions that show a report. scripts/up and scripts/demo source this file after lib.sh.
# shellcheck shell=bash disable=SC2154

# show_calls FIRST_DAY LAST_DAY: prints the two calls for a report of these days.
show_calls() {
    local options host ip port
    url=$(setting ISSUER https://127.0.0.1)
    ip=$(setting LOCAL_NETWORK_IP 127.0.0.1)
    port=$(setting PORT 443)
    host=$(vip_host)
    options="--cacert .rollcall/ca.pem"
    [ "$host" = "$ip" ] || getent ahostsv4 "$host" | grep -q "^$ip " ||
        options="$options --resolve $host:$port:$ip"
    body="{\"Filters\": {\"StartDate\": \"$1\", \"EndDate\": \"$2\", \"UserName\": \"All Users\",
         \"StartOfDay\": \"00:00:00\", \"RequestDate\": \"$(date -u +%F)\"}}"
    cat <<END
A token, and the report from $1 to $2 (run here):

  TOKEN=\$(curl -sS $options $url/api/v1/auth/connect \\
    -H 'Content-Type: application/json' -d @.rollcall/first-client.json |
    sed 's/.*"token":"\([^"]*\)".*/\1/')

  curl -sS $options $url/api/v1/reporting/sessions \\
    -H "Authorization: Bearer \$TOKEN" -H 'Content-Type: application/json' \\
    -d '$body'

END
}

# Prints the first rows of the report that show_calls described.
show_rows() {
    local token report
    # Show no rows if the first client has been disabled or its password rotated.
    token=$(vip_curl -f -H 'Content-Type: application/json' -d @"$state/first-client.json" \
        "$url/api/v1/auth/connect" 2>/dev/null | sed 's/.*"token":"\([^"]*\)".*/\1/') || return 0
    # Pass the token by a file descriptor, so that it does not appear in the list of processes.
    report=$(vip_curl -f --config <(printf 'header = "Authorization: Bearer %s"\n' "$token") \
        -H 'Content-Type: application/json' -d "$body" "$url/api/v1/reporting/sessions" \
        2>/dev/null) || return 0
    echo "Its first rows:"
    echo
    grep -o '{"UserID"[^}]*}' <<<"$report" | head -n 3 | sed 's/^/  /' || true
    echo
}
