# Simulates a host outside: a network namespace with its own address on a cable to this host
# (addresses of RFC 5737). This host is not its gateway, so it has no route to the networks of
# containers. The script runs a web server, prints "ready", and runs each line of standard input as
# a command. Nothing remains when it ends.
set -e
unshare --net sleep 300 &
namespace=$!
here=$(readlink /proc/self/ns/net)
while [ "$(readlink /proc/$namespace/ns/net)" = "$here" ]; do sleep 0.1; done
ip link add outside0 type veth peer name eth0 netns "$namespace"
ip addr add 198.51.100.1/30 dev outside0
ip link set outside0 up
inside() { nsenter --target "$namespace" --net "$@"; }
inside ip addr add 198.51.100.2/30 dev eth0
inside ip link set lo up
inside ip link set eth0 up
inside python3 -m http.server 8000 >/dev/null 2>&1 &
server=$!
until inside curl -s -o /dev/null http://198.51.100.2:8000/; do sleep 0.1; done
echo ready
while read -r line; do inside bash -c "$line" || true; done
kill "$server" "$namespace"
