# Functions that the scripts in this folder share. They source this file.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
caller=$PWD
# Files that belong to this host alone: CA file, first client, the operator's certificate.
state=$root/.rollcall
cd "$root"

say() { printf '%s\n' "$*" >&2; }
# phase TEXT: prints the seconds since the script began, and the name of the phase that begins.
phase() { printf '%4s s  %s\n' "$SECONDS" "$*" >&2; }
error() {
    say "error: $1"
    shift
    for hint in "$@"; do say "  $hint"; done
}
# fail TEXT HINT...: ends the script with 1. usage_error ends it with 2: the command line is wrong.
fail() { error "$@"; exit 1; }
usage_error() { error "$@"; exit 2; }

# Prints the head comment of the running script and exits, if the first argument is --help or -h.
show_usage() {
    case ${1:-} in --help | -h) ;; *) return 0 ;; esac
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$root/scripts/$(basename "$0")"
    exit 0
}

# from_caller PATH: prints the absolute path, because this script has changed the working directory.
from_caller() { case $1 in "" | /*) printf '%s' "$1" ;; *) printf '%s' "$caller/$1" ;; esac; }

# setting KEY DEFAULT: prints the value of KEY in .env, or the default.
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

# error_of SERVICE ARGUMENT...: runs the service without input. Prints its error, if it fails.
error_of() {
    docker compose --progress quiet run --rm --no-deps -T "$@" 2>&1 >/dev/null </dev/null |
        sed -n 's/^error: //p' || true
}

need_engine() {
    command -v docker >/dev/null ||
        fail "there is no docker command on this host" "Install Docker Engine 20.10 or newer."
    local answer
    answer=$(docker version --format '{{.Server.Version}}' 2>&1) ||
        fail "the Docker engine does not answer: ${answer##*$'\n'}" \
            "Start it (systemctl start docker) and check that this user is in the group docker."
}

project() { setting COMPOSE_PROJECT_NAME rollcall; }

# max_replicas SERVICE: prints how many replicas are supported.
max_replicas() { if [ "$1" = maintenance ]; then echo 3; else echo 4; fi; }

# containers_of SERVICE: prints the running containers of a service of this project.
containers_of() {
    docker ps -q --filter "$(of_project)" --filter "label=com.docker.compose.service=$1"
}

# Fails if the containers of this project were started from another folder that still exists.
need_own_project() {
    local folder
    while read -r folder; do
        [ "$folder" -ef "$root" ] || [ ! -e "$folder/compose.yaml" ] ||
            fail "the project $(project) belongs to another folder: $folder" \
                "Run the script there. For a second installation on this host, choose another name" \
                "and other ports in .env: COMPOSE_PROJECT_NAME=rollcall-2"
    done < <(docker ps -a --filter "$(of_project)" \
        --format '{{.Label "com.docker.compose.project.working_dir"}}' | sort -u)
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
project_networks() { docker network ls --format '{{.Name}}' --filter "$(of_project)"; }

remove_project_containers() { project_containers | xargs -r docker rm -f -v >/dev/null; }
remove_project_networks() { project_networks | xargs -r docker network rm >/dev/null; }

# Removes the containers and volumes (with all data) that have the label of this project. Fails if one
# of them stays.
remove_project() {
    remove_project_containers && project_volumes | xargs -r docker volume rm >/dev/null
}

# Stops the stack and keeps the data. A network stays if another container is attached to it, or if
# Docker 20.10 wrongly reports active endpoints (moby issue 43286). The next start uses it again.
stop_stack() {
    docker compose --progress quiet --profile operator stop >&2 || return 1
    remove_project_containers || return 1
    remove_project_networks 2>/dev/null || true
}

fetch_ca() {
    mkdir -p "$state"
    docker compose exec -T ca cat /var/lib/tls/ca.pem >"$state/ca.pem.new"
    mv "$state/ca.pem.new" "$state/ca.pem"
}

# Rust version of rust-toolchain.toml.
rust_version=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)

# On a host without a registry, the toolchain may be installed under the name "stable" only. Use
# that toolchain if it has the required version.
use_installed_rust() {
    if ! cargo --version >/dev/null 2>&1 &&
        [[ $(rustc +stable --version 2>/dev/null) = "rustc $rust_version "* ]]; then
        export RUSTUP_TOOLCHAIN=stable
    fi
}

# Official base images, and the names of those that scripts/images makes without a registry.
official_debian=debian:trixie-slim
official_rust=rust:$rust_version-slim-trixie
made_debian=localhost/rollcall-build/debian:trixie
made_rust=localhost/rollcall-build/rust:$rust_version

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

# Makes the base images available. Exports their names, which Dockerfiles take as build arguments.
need_bases() {
    scripts/images || return 1
    DEBIAN_IMAGE=$official_debian RUST_IMAGE=$official_rust
    ! has_image "$made_debian" || DEBIAN_IMAGE=$made_debian
    ! has_image "$made_rust" || RUST_IMAGE=$made_rust
    export DEBIAN_IMAGE RUST_IMAGE
}

# image_of NAME: prints the name of the image that docker/NAME describes, for images that belong to
# no installation: the forwarder, and the images for tests and benchmarks.
image_of() { printf 'localhost/rollcall-build/%s' "$1"; }
# build_image NAME: builds such an image. Prints the end of the output if the build fails.
build_image() {
    local log
    log=$(docker buildx build --progress plain --load -t "$(image_of "$1")" \
        -f "docker/$1/Dockerfile" --build-arg DEBIAN_IMAGE --build-arg RUST_IMAGE \
        --build-arg CARGO_PROFILE_RELEASE_LTO --build-arg CARGO_PROFILE_RELEASE_CODEGEN_UNITS \
        . 2>&1) && return
    tail -n 40 <<<"$log" >&2
    return 1
}

# own_checkout FOLDER PROJECT PORT SETTING...: copies the files of this checkout that git does not
# ignore to FOLDER, for another stack that runs beside the stack of this checkout.
own_checkout() {
    local folder=$1 project=$2 port=$3
    shift 3
    rm -rf "$folder"
    mkdir -p "$folder"
    git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - |
        tar -xf - -C "$folder"
    printf '%s\n' "COMPOSE_PROJECT_NAME=$project" "PORT=$port" "RADIUS_PORT=$((port + 1))" \
        "SYSLOG_PORT=$((port + 2))" "SYSLOG_TLS_PORT=$((port + 3))" "$@" >"$folder/.env"
    remove_containers "$folder"
}

# own_stack FOLDER PROJECT PORT SETTING...: makes such a checkout and starts its stack.
own_stack() {
    own_checkout "$@"
    "$1/scripts/up"
}

remove_containers() {
    (
        cd "$1" && docker compose --profile operator down --volumes --remove-orphans
    ) >/dev/null 2>&1 || true
}

# remove_stack FOLDER: removes a stack that own_stack started, with its data and its checkout.
remove_stack() {
    [ -d "$1" ] || return 0
    remove_containers "$1"
    rm -rf "$1"
}
