# Steps of scripts/test, which sources this file after lib.sh.
# shellcheck disable=SC2034,SC2154

passed=0
failed=0
summary=()
failures=()
images=
stack=$root/target/stack
small=$root/target/disk-stack
project=${TEST_PROJECT:-rollcall-test}
port=${TEST_PORT:-18443}
references=$root/target/snapshot-references
image_log=$root/target/images.log
export STACK_PROJECT=$project PATH=$root/target/tools:$PATH

# ended OUTCOME STARTED NAME: adds a line to the summary. STARTED is the value of SECONDS at the
# start of the step.
ended() { summary+=("$(printf '%-8s %4s s  %s' "$1" $((SECONDS - $2)) "$3")"); }

# step NAME COMMAND...: runs a check, which counts as one. Exit code 77 means skipped. Bash ignores
# `set -e` in the command, so each command of a step ends with `|| return 1`.
step() {
    local name=$1 started=$SECONDS outcome=ok code=0
    shift
    say "--- $name"
    "$@" >&2 || code=$?
    case $code in
        0) passed=$((passed + 1)) ;;
        77) outcome=skipped ;;
        *) outcome=failed failed=$((failed + 1)) failures+=("$name") ;;
    esac
    ended "$outcome" "$started" "$name"
}

# tests NAME PROFILE COMMAND...: runs tests with nextest, and counts them from the report of this
# profile. A run that fails without a failed test, for example because the tests do not compile,
# counts as one failed test.
tests() {
    local name=$1 report=target/nextest/$2/junit.xml started=$SECONDS outcome=ok code=0
    local counts="0 0" good bad names=()
    shift 2
    say "--- $name"
    rm -f "$report"
    "$@" >&2 || code=$?
    if [ -e "$report" ]; then
        counts=$(in_tools python3 scripts/checks/count_tests.py "$report") || code=1 counts="0 0"
    fi
    mapfile -t names <<<"$counts"
    read -r good bad <<<"${names[0]}"
    names=("${names[@]:1}")
    if [ "$code" != 0 ] && [ "$bad" = 0 ]; then
        bad=1
        names=("$name")
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    failures+=("${names[@]}")
    [ "$bad" = 0 ] || outcome=failed
    ended "$outcome" "$started" "$name ($good passed, $bad failed)"
}

# Prints the steps that ran, the names of those that failed, and the counts in the last line. Exits.
finish() {
    printf '\n%s\n' "What ran:"
    printf '%s\n' "${summary[@]}"
    if [ "${#failures[@]}" -gt 0 ]; then
        printf '\n%s\n' "What failed:"
        printf '%s\n' "${failures[@]}"
    fi
    printf '\n%s\n' "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}

# in_tools COMMAND...: runs a program of docker/tools on this checkout, which is read-only there.
in_tools() {
    docker run --rm --network host --user "$(id -u):$(id -g)" -v "$root:/src:ro" -w /src \
        -v "$root/target/cargo-home:/cargo" -e CARGO_HOME=/cargo -e HOME=/cargo \
        "$(image_of tools)" "$@"
}

# Makes the base images, and the images and programs that the inner loop needs.
prepare() {
    local name container
    need_bases || return 1
    mkdir -p target/tools target/cargo-home || return 1
    for name in postgres redis tools; do build_image "$name" || return 1; done
    container=$(docker create "$(image_of tools)" true) || return 1
    docker cp -q "$container:/opt/tools/bin/cargo-nextest" target/tools/ || return 1
    docker rm "$container" >/dev/null
}

# The images of the tests are built without link-time optimization: it takes a third of the time of
# a build, and changes only the speed of the programs.
build_without_optimizing_links() {
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
}

# Builds the images of the stack tests in the background, beside the checks. No test runs meanwhile.
start_building_images() {
    {
        COMPOSE_PROJECT_NAME=$project docker compose --progress plain build </dev/null &&
            build_image clients && build_image browser && build_image forwarder &&
            build_image fuzz
    } >"$image_log" 2>&1 &
    images=$!
}

images_are_built() {
    wait "$images" && return
    tail -n 60 "$image_log"
    return 1
}

shell_scripts() {
    local files
    mapfile -t files < <(git grep -lIE '^#!.*(bash|/sh)$' && git ls-files 'services/*.sh')
    in_tools shellcheck "${files[@]}"
}

python_files() { in_tools ruff check --no-cache && in_tools ruff format --no-cache --check; }

documentation() { RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet; }

# The advisory database is a git repository outside of the package registries. Nothing is checked if
# the database cannot be fetched.
advisories() {
    in_tools sh -c 'timeout 120 cargo-deny fetch db >/tmp/fetch 2>&1 || {
            tail -n 3 /tmp/fetch
            echo "NOT CHECKED: the advisory database cannot be fetched from here"
            exit 77
        }
        cargo-deny --all-features check --disable-fetch advisories'
}

test_services() {
    scripts/test-services start || return 1
    # shellcheck disable=SC1091
    source target/test-services.env
    # insta adds the name of each snapshot file that a test reads.
    rm -f "$references"
    export INSTA_UPDATE=no INSTA_SNAPSHOT_REFERENCES_FILE=$references
}

snapshots_are_referenced() {
    local unused
    [ -e "$references" ] || {
        say "No test wrote $references, so the snapshots cannot be checked."
        return 1
    }
    unused=$(comm -13 <(sort -u "$references") <(find "$root/services" -name '*.snap' | sort))
    [ -z "$unused" ] && return
    say "No test reads these snapshots. Remove them:" "$unused"
    return 1
}

start_stack() {
    own_stack "$stack" "$project" "$port" OTEL_METRIC_EXPORT_INTERVAL=2000 \
        OTEL_BLRP_SCHEDULE_DELAY=1000 OTEL_BSP_SCHEDULE_DELAY=1000 \
        ROLLCALL_TELEMETRY__OTLP_ENDPOINT=http://collector:4318 || return 1
    build_image clients && build_image browser && build_image forwarder
}

stack_tests() {
    STACK_ROOT=${STACK_ROOT:-$stack} STACK_URL=${STACK_URL:-https://127.0.0.1:$port} \
        cargo nextest run --profile stack --package rollcall-stack-tests "$@"
}

# Starts a stack whose database has a small disk. The service `keeper` keeps the disk mounted while
# PostgreSQL is down.
start_small_stack() {
    own_checkout "$small" "$project-disk" $((port + 1000)) || return 1
    cat >"$small/compose.override.yaml" <<FILE
services:
  keeper:
    image: localhost/$project-disk/postgres
    command: [sleep, infinity]
    network_mode: none
    volumes: ["database:/var/lib/rollcall/data"]
volumes:
  database:
    driver_opts: {type: tmpfs, device: tmpfs, o: "size=256m,uid=10001,gid=10001,mode=0700"}
FILE
    "$small/scripts/up" >/dev/null
}

# unexpected OUTPUT: prints it and fails.
unexpected() {
    say "$1"
    return 1
}

# Checks that scripts/down succeeds and keeps the data while another container is attached to a
# network, and that scripts/down --purge leaves nothing once that container is gone. Docker 20.10
# sometimes counts a removed container as attached (moby issue 43286). Such a network can be removed
# only after a restart of Docker.
down_leaves_nothing() {
    local kind filter="label=com.docker.compose.project=$project" said
    local networks_remain="Docker did not remove these networks:"
    docker run --detach --rm --name "$project-guest" --network "${project}_services" \
        "$(image_of tools)" sleep 3600 || return 1
    said=$("$stack/scripts/down" 2>&1) || unexpected "$said" || return 1
    [[ $said == *"$networks_remain"*"${project}_services"* ]] || unexpected "$said" || return 1
    [ -z "$(docker ps -aq --filter "$filter")" ] || return 1
    [ -n "$(docker volume ls -q --filter "$filter")" ] || return 1
    (cd "$stack" && docker compose up --detach --wait) || return 1
    "$stack/scripts/status" || return 1
    said=$("$stack/scripts/down" --purge --yes 2>&1) && return 1
    docker rm -f "$project-guest" || return 1
    [[ $said == *"$networks_remain"*"${project}_services"* ]] || unexpected "$said" || return 1
    if ! said=$("$stack/scripts/down" --purge --yes 2>&1); then
        say "$said"
        [[ $said == *"$networks_remain"* ]] || return 1
        [ -z "$(docker network ls -q --filter "$filter" |
            xargs docker network inspect --format '{{range .Containers}}{{.Name}}{{end}}')" ] ||
            return 1
        say "SKIPPED: Docker counts a removed container as attached to a network"
        return 77
    fi
    [ -z "$(docker ps -aq --filter "$filter")" ] || return 1
    for kind in volume network; do
        [ -z "$(docker "$kind" ls -q --filter "$filter")" ] || return 1
    done
    [ ! -e "$stack/.env" ] && [ ! -e "$stack/.rollcall" ]
}
