# Opens idle TLS connections in waves of 1,000, each after one request, for at most 20 seconds.
# Usage: idle.sh URL WAVES
# Two slow cores complete the handshakes of a wave before the next begins.
ulimit -n "$(ulimit -Hn)"
for ((wave = 0; wave < $2; wave++)); do
    timeout -k 1 "$((20 - wave * 9 / 10))" wrk -t 1 -c 1000 -d 20s --timeout 60s \
        -s /clients/idle.lua "$1" -- 1000 >/dev/null &
    sleep 0.9
done
wait
