# Opens idle TLS connections in waves of 1,000, each after one request, for 15 seconds, and prints how many requests were answered.
# Usage: idle.sh URL WAVES
ulimit -n "$(ulimit -Hn)"
for ((wave = 0; wave < $2; wave++)); do
    wrk -t 1 -c 1000 -d "$((15 - wave * 7 / 10))s" --timeout 60s -s /clients/idle.lua "$1" -- 1000 &
    sleep 0.7
done | awk '/ requests in / { sum += $1 } END { print sum }'
