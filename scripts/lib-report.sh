# Shows a report; sourced by scripts/up and scripts/demo after lib.sh.
# shellcheck shell=bash disable=SC2154

# show_report FIRST_DAY LAST_DAY: prints the two calls for a report of these days, and its first
# rows.
show_report() {
    local url body options host ip port token report
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
    # The first client may have been disabled or rotated since, so that no report can be shown.
    token=$(vip_curl -f -H 'Content-Type: application/json' -d @"$state/first-client.json" \
        "$url/api/v1/auth/connect" 2>/dev/null | sed 's/.*"token":"\([^"]*\)".*/\1/') || return 0
    # The token goes by a file descriptor, so that no list of processes shows it.
    report=$(vip_curl -f --config <(printf 'header = "Authorization: Bearer %s"\n' "$token") \
        -H 'Content-Type: application/json' -d "$body" "$url/api/v1/reporting/sessions" \
        2>/dev/null) || return 0
    echo "Its first rows:"
    echo
    grep -o '{"UserID"[^}]*}' <<<"$report" | head -n 3 | sed 's/^/  /' || true
    echo
}
