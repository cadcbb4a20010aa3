# Shared by the scripts beside it; sourced, never run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
caller=$PWD
state=$root/.rollcall # what belongs to this host alone: CA file, first client, the operator's certificate
cd "$root"

say() { printf '%s\n' "$*" >&2; }
# What begins now, and how many seconds have gone by since the script began.
phase() { printf '%4s s  %s\n' "$SECONDS" "$*" >&2; }
fail() {
    say "error: $1"
    shift
    for hint in "$@"; do say "  $hint"; done
    exit 1
}

# Prints the head comment of the script that runs, when the first argument is --help.
show_usage() {
    case ${1:-} in --help | -h) ;; *) return 0 ;; esac
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$root/scripts/$(basename "$0")"
    exit 0
}

# from_caller PATH: prints the absolute path, because this script has changed the working directory.
from_caller() { case $1 in "" | /*) printf '%s' "$1" ;; *) printf '%s' "$caller/$1" ;; esac; }

# The value of KEY in .env, or the default.
setting() {
    local value=
    [ -f .env ] && value=$(sed -n "s/^$1=//p" .env | tail -n 1)
    printf '%s' "${value:-$2}"
}

save_setting() {
    touch .env
    local others
    others=$(grep -v "^$1=" .env || true)
    printf '%s\n' "$others" "$1=$2" | sed '/^$/d' >.env
}

need_engine() {
    command -v docker >/dev/null || fail "there is no docker command on this host" "Install Docker Engine 20.10 or newer."
    local answer
    answer=$(docker version --format '{{.Server.Version}}' 2>&1) ||
        fail "the Docker engine does not answer: ${answer##*$'\n'}" \
            "Start it (systemctl start docker) and see that this user may use it (group docker)."
}

project() { setting COMPOSE_PROJECT_NAME rollcall; }

# Containers of this project that run SERVICE.
containers_of() {
    docker ps -q --filter "$(of_project)" --filter "label=com.docker.compose.service=$1"
}

# Prints the host name or address by which clients call the VIP.
vip_host() {
    local ip
    ip=$(setting LOCAL_NETWORK_IP 127.0.0.1)
    sed 's|^https://||; s|:.*||' <<<"$(setting ISSUER "https://$ip")"
}

# Runs curl with the VIP's CA. It also works if this host does not resolve the name in the URL.
vip_curl() {
    local ip port host
    ip=$(setting LOCAL_NETWORK_IP 127.0.0.1)
    port=$(setting PORT 443)
    host=$(vip_host)
    curl -sS --cacert "$state/ca.pem" --resolve "$host:$port:$ip" "$@"
}

of_project() { printf 'label=com.docker.compose.project=%s' "$(project)"; }
project_containers() { docker ps -aq --filter "$(of_project)"; }
project_volumes() { docker volume ls -q --filter "$(of_project)"; }

# Removes the containers, volumes (with all data) and networks that have the label of this project.
remove_project() {
    project_containers | xargs -r docker rm -f -v >/dev/null
    project_volumes | xargs -r docker volume rm >/dev/null
    docker network ls -q --filter "$(of_project)" | xargs -r docker network rm >/dev/null
}

fetch_ca() {
    mkdir -p "$state"
    docker compose exec -T ca cat /var/lib/tls/ca.pem >"$state/ca.pem.new" && mv "$state/ca.pem.new" "$state/ca.pem"
}

# Images of docker/NAME that belong to no installation: those for tests and benchmarks, and the
# forwarder.
image_of() { printf 'localhost/rollcall-build/%s' "$1"; }
build_image() { docker buildx build --quiet --load -t "$(image_of "$1")" -f "docker/$1/Dockerfile" . >/dev/null; }

# A checkout of what git knows here, for a stack of its own: one that runs from this checkout is left alone.
# own_checkout FOLDER PROJECT PORT SETTING...
own_checkout() {
    local folder=$1 project=$2 port=$3
    shift 3
    rm -rf "$folder"
    mkdir -p "$folder"
    git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - | tar -xf - -C "$folder"
    printf '%s\n' "COMPOSE_PROJECT_NAME=$project" "PORT=$port" "RADIUS_PORT=$((port + 1))" "SYSLOG_PORT=$((port + 2))" \
        "SYSLOG_TLS_PORT=$((port + 3))" "$@" >"$folder/.env"
    (cd "$folder" && docker compose --profile operator down --volumes --remove-orphans >/dev/null 2>&1) || true
}

# The same, started.
own_stack() {
    own_checkout "$@"
    "$1/scripts/up"
}

remove_stack() {
    [ -d "$1" ] || return 0
    (cd "$1" && docker compose --profile operator down --volumes --remove-orphans >/dev/null 2>&1) || true
    rm -rf "$1"
}
