#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# The one place that knows how to run DynamoDB Local.
#     tools/dynamodb-local.sh start [--port N] [--db DIR]   prints the endpoint's URL, alone
#     tools/dynamodb-local.sh stop [--port N]               --port is needed when several run
#     tools/dynamodb-local.sh status [--port N]             0 when one is running, else 1
# Without --port a free one is chosen; without --db everything is kept in memory. Several may run at
# once, and only servers started from here are ever stopped. Speak to it at 127.0.0.1; the server
# itself listens on every interface: it gives Jetty a port and no host, and has no option for one.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

servers_dir=$cache_dir/servers
start_timeout_s=30

usage() {
    sed -nE '3,6s/^# ?//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

url_of() { printf 'http://127.0.0.1:%s' "$1"; }
pid_file() { printf '%s/%s.pid' "$servers_dir" "$1"; }
log_file() { printf '%s/%s.log' "$servers_dir" "$1"; }

# running PORT: prints the pid of our server there. A pid may have been given to somebody else since,
# so its command line has to say so.
running() {
    local pid
    pid=$(cat "$(pid_file "$1")" 2>/dev/null) && [[ -n $pid ]] || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "ServerRunner -port $1 " || return 1
    printf '%s' "$pid"
}

# The first line of whatever answers HTTP on a port of this machine.
first_line_from() {
    local line=
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET / HTTP/1.0\r\n\r\n' >&3
    IFS= read -r -t 2 line <&3 || true
    exec 3>&-
    printf '%s' "$line"
}

is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# is_alive PID: not so when it is dead and merely nobody has asked for its exit code, as happens in
# containers.
is_alive() { grep -q '^State:[[:space:]]*[^[:space:]ZX]' "/proc/$1/status" 2>/dev/null; }

# claim PORT: fails when another start has it. The claim is this script's pid until the server's
# stands there, so that a claim of the dead can be told.
claim() {
    local owner
    (
        flock 9
        owner=$(cat "$(pid_file "$1")" 2>/dev/null || true)
        [[ -n $owner ]] && is_alive "$owner" && exit 1
        is_taken "$1" && exit 1
        printf '%s\n' $$ >"$(pid_file "$1")"
    ) 9>"$servers_dir/lock"
}

# launch PORT DB: 0 when it answers, 1 when somebody else was quicker on the port; else dies.
launch() {
    local port=$1 db=$2 log pid deadline
    log=$(log_file "$port")
    local where=(-inMemory)
    [[ -z $db ]] || where=(-dbPath "$db")
    setsid java "-Djava.library.path=$dynamodb_local_dir" \
        "-Dsqlite4java.library.path=$dynamodb_local_dir" -cp "$dynamodb_local_dir/*" \
        software.amazon.dynamodb.services.local.main.ServerRunner \
        -port "$port" "${where[@]}" -sharedDb -disableTelemetry >"$log" 2>&1 </dev/null &
    pid=$!
    printf '%s\n' "$pid" >"$(pid_file "$port")"
    trap 'kill "$pid" 2>/dev/null; exit 143' INT TERM
    deadline=$((SECONDS + start_timeout_s))
    while kill -0 "$pid" 2>/dev/null; do
        if [[ $(first_line_from "$port" 2>/dev/null) == HTTP/* ]]; then
            # Had the answer been another program's, ours would be ending for want of the port.
            sleep 0.1
            kill -0 "$pid" 2>/dev/null && return 0
        fi
        if ((SECONDS >= deadline)); then
            kill -KILL "$pid"
            fail "$port" "did not answer within $start_timeout_s s"
        fi
        sleep 0.1
    done
    rm -f "$(pid_file "$port")"
    grep -q 'Address already in use' "$log" || fail "$port" 'ended before it answered'
    return 1
}

fail() {
    rm -f "$(pid_file "$1")"
    tail -n 20 "$(log_file "$1")" >&2
    die "DynamoDB Local on port $1 $2; above is the end of $(log_file "$1")"
}

start() {
    local candidate attempt
    [[ -d $dynamodb_local_dir ]] || "$root/tools/install-dependencies.sh" server
    mkdir -p "$servers_dir"
    [[ -z $db ]] || { mkdir -p "$db" && db=$(cd "$db" && pwd); }
    for attempt in {1..10}; do
        candidate=${port:-$(random_port)}
        if claim "$candidate" && launch "$candidate" "$db"; then
            url_of "$candidate"
            echo
            return
        fi
        [[ -z $port ]] || die "port $port is in use"
    done
    die "found no free port in $attempt attempts"
}

ports_running() {
    local file candidate
    for file in "$servers_dir"/*.pid; do
        candidate=$(basename "$file" .pid)
        [[ -z $port || $port == "$candidate" ]] || continue
        if running "$candidate" >/dev/null; then printf '%s\n' "$candidate"; fi
    done
}

stop() {
    local ports pid
    mapfile -t ports < <(ports_running)
    ((${#ports[@]})) || die "none is running${port:+ on port $port}"
    ((${#ports[@]} == 1)) || die "several are running; say which with --port: ${ports[*]}"
    pid=$(running "${ports[0]}") || return 0
    kill "$pid" 2>/dev/null || true
    for _ in {1..100}; do
        running "${ports[0]}" >/dev/null || break
        sleep 0.05
    done
    ! running "${ports[0]}" >/dev/null || kill -KILL "$pid"
    rm -f "$(pid_file "${ports[0]}")" "$(log_file "${ports[0]}")"
}

status() {
    local ports candidate
    mapfile -t ports < <(ports_running)
    ((${#ports[@]})) || die "none is running${port:+ on port $port}"
    for candidate in "${ports[@]}"; do
        printf '%s pid %s\n' "$(url_of "$candidate")" "$(running "$candidate")"
    done
}

verb=${1:-}
port='' db=''
[[ $# -eq 0 ]] || shift
while (($#)); do
    (($# >= 2)) || usage
    case $1 in
    --port)
        if ! [[ $2 =~ ^[1-9][0-9]{0,4}$ ]] || (($2 > 65535)); then
            die "--port $2: a number from 1 to 65535"
        fi
        port=$2
        ;;
    --db) db=$2 ;;
    *) usage ;;
    esac
    shift 2
done
case $verb in
start | stop | status) "$verb" ;;
*) usage ;;
esac
