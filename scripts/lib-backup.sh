# Shared by scripts/backup and scripts/restore; sourced after lib.sh.

end_of_backup=rollcall-backup-end # as in docker/postgres/backup
backup_image="localhost/$(project)/postgres"

# Settings that belong to a host and not to an installation. A restore keeps those of the target.
host_settings=(COMPOSE_PROJECT_NAME LOCAL_NETWORK_IP PORT RADIUS_PORT SYSLOG_PORT SYSLOG_TLS_PORT)

version_here() { sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1; }
# The newest migration, as diesel writes it into the database: 2026-11-24-000001_initial is
# 20261124000001.
schema_here() { basename -a migrations/*_*/ | sed 's/_.*//; s/-//g' | sort | tail -n 1; }

# read_secret new|old KIND FILE: sets `secret`, with which a backup is encrypted, and `protection`,
# its kind (passphrase or key-file). KIND is --passphrase-file, --key-file, or empty to ask at the
# terminal.
read_secret() {
    protection=passphrase
    case $2 in
        --passphrase-file)
            [ -r "$3" ] || fail "--passphrase-file: $3 cannot be read"
            IFS= read -r secret <"$3" || [ -n "$secret" ] || fail "--passphrase-file: $3 is empty"
            ;;
        --key-file)
            protection=key-file
            [ -r "$3" ] || fail "--key-file: $3 cannot be read"
            [ "$(wc -c <"$3")" -ge 32 ] ||
                fail "--key-file: $3 has less than 32 bytes" \
                    "Make one: head -c 64 /dev/urandom > $3"
            secret=$(sha512sum <"$3" | cut -d ' ' -f 1)
            ;;
        *) ask_passphrase "$1" ;;
    esac
    [ "$1" = old ] || [ "${#secret}" -ge 12 ] ||
        fail "the passphrase has ${#secret} characters and needs at least 12"
}

ask_passphrase() {
    local again
    [ -t 0 ] || fail "there is no terminal to ask for the passphrase" \
        "Give --passphrase-file FILE or --key-file FILE."
    read -rsp "Passphrase: " secret
    say ""
    [ "$1" = old ] && return
    read -rsp "The same again: " again
    say ""
    [ "$secret" = "$again" ] || fail "the two passphrases differ"
}

# Reads a whole backup, which verifies that it is complete and unchanged. Writes the tar archive of
# its settings to standard output. The container has no network and no volume.
check_backup() {
    { printf '%s\n' "$secret" && cat "$1"; } |
        docker run --rm --log-driver none --interactive --network none --read-only --cap-drop ALL \
            --security-opt no-new-privileges --memory 512m --user 10001:10001 \
            --tmpfs /tmp:size=64m,uid=10001,gid=10001,mode=0700 "$backup_image" backup check
}
