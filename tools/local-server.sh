#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# The one place that knows how to run a DynamoDB server on this machine.
#     tools/local-server.sh start [--engine ENGINE] [--port N] [--db FILE]  prints the URL, alone
#     tools/local-server.sh stop [--engine ENGINE] [--port N]     --port is needed when several run
#     tools/local-server.sh status [--engine ENGINE] [--port N]   a line for each: URL pid PID ENGINE
# ENGINE is dynoxide (the default), moto, or dynamodb-local, which runs your own copy of DynamoDB
# Local from the folder DYNAMODB_LOCAL_HOME and never downloads one. Without --port a free port is
# chosen; without --db everything is kept in memory. FILE is a folder for dynamodb-local; moto has no
# --db. status exits with 1 when none is running. Several servers may run at the same time, and only
# those that this script started are ever stopped. dynoxide and moto listen on 127.0.0.1; DynamoDB
# Local listens on every interface and has no option to change that.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

servers_dir=$cache_dir/servers
start_timeout_s=30
java_version=17

show_usage() { sed -nE '3,12s/^# ?//p' "${BASH_SOURCE[0]}"; }

url_of() { printf 'http://127.0.0.1:%s' "$1"; }
# The pid file holds "PID STARTED ENGINE", where STARTED is as started_at prints it; the engine is
# "starting" while the pid is that of a start.
pid_file() { printf '%s/%s.pid' "$servers_dir" "$1"; }
log_file() { printf '%s/%s.log' "$servers_dir" "$1"; }
forget() { rm -f "$(pid_file "$1")"* "$(log_file "$1")"; }

# write_owner PORT PID ENGINE: by a rename, so that no reader sees half of it.
write_owner() {
    local written
    written=$(pid_file "$1").$2
    printf '%s %s %s\n' "$2" "$(started_at "$2")" "$3" >"$written"
    mv -f "$written" "$(pid_file "$1")"
}

# started_at PID: when the process started, in ticks since the boot of the machine. With the pid it
# names the process: a pid that has been reused belongs to one that started at another time.
started_at() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    # The name, in parentheses, may hold blanks. STARTED is the 20th word after it.
    read -r -a stat <<<"${stat##*) }"
    printf '%s' "${stat[19]}"
}

# is_alive PID: false also for a zombie, which a container without an init may keep.
is_alive() { grep -q '^State:[[:space:]]*[^[:space:]ZX]' "/proc/$1/status" 2>/dev/null; }

# owner_of PORT: prints "PID ENGINE" of the server or start that has the port.
owner_of() {
    local pid='' started='' engine=''
    read -r pid started engine 2>/dev/null <"$(pid_file "$1")" || return 1
    [[ -n $engine ]] && is_alive "$pid" && [[ $(started_at "$pid") == "$started" ]] || return 1
    printf '%s %s' "$pid" "$engine"
}

# running PORT: as owner_of, of servers that were started to the end of their exec.
running() {
    local owner
    owner=$(owner_of "$1") && [[ $owner != *' starting' ]] && printf '%s' "$owner"
}

# A program that accepts no more connections lets this one wait: its port is taken too.
is_taken() {
    timeout 1 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"' bash "$1" 2>/dev/null || (($? == 124))
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

ports_known() {
    local file
    for file in "$servers_dir"/*.pid; do
        [[ ! -e $file ]] || basename "$file" .pid
    done
}

# claim PORT: fails when another process has it. What servers that were killed left behind goes.
claim() {
    local known
    (
        flock 9
        for known in $(ports_known); do
            owner_of "$known" >/dev/null || forget "$known"
        done
        [[ ! -e $(pid_file "$1") ]] && ! is_taken "$1" && write_owner "$1" $$ starting
    ) 9>"$servers_dir/lock"
}

# has_ended PID: waits for it for five seconds.
has_ended() {
    for _ in {1..100}; do
        is_alive "$1" || return 0
        sleep 0.05
    done
    return 1
}

# end PID: with SIGTERM, and after five seconds with SIGKILL. Fails when the process goes on, as one
# of another user does.
end() {
    kill "$1" 2>/dev/null || ! is_alive "$1" || return 1
    has_ended "$1" && return
    kill -KILL "$1" 2>/dev/null || true
    has_ended "$1"
}

# install PART: waited for as a job, which an interruption ends too, and at once.
installer=
install() {
    "$root/tools/install-dependencies.sh" "$1" &
    installer=$!
    wait "$installer"
    installer=
}

# The port between its claim and the server's answer; the server is then this script's child.
claimed=
abandon_start() {
    local pid=''
    [[ -z $installer ]] || { kill "$installer" 2>/dev/null && wait "$installer"; } || true
    [[ -n $claimed ]] || return 0
    [[ -z ${!:-} ]] || end "$!" || true
    read -r pid _ 2>/dev/null <"$(pid_file "$claimed")" || true
    [[ $pid != "$$" && $pid != "${!:-}" ]] || forget "$claimed"
}

fail() {
    tail -n 20 "$(log_file "$1")" >&2
    die "$engine on port $1 $2; above is the end of its output"
}

# require_java: DynamoDB Local needs one, and nothing else here does.
require_java() {
    local version
    have java || die "dynamodb-local needs java $java_version or later on PATH, and there is none"
    version=$(java -version 2>&1 | sed -nE 's/.*version "([0-9]+).*/\1/p' || true)
    ((${version:-0} >= java_version)) || die "dynamodb-local needs java $java_version or later;" \
        "$(command -v java) is ${version:-of an unknown version}"
}

# dynamodb_local_command PORT DB: for Amazon's archive, and for a folder of jars from Maven.
dynamodb_local_command() {
    local home=${DYNAMODB_LOCAL_HOME:-} library jars main=software/amazon/dynamodb
    [[ -n $home ]] || die 'dynamodb-local runs your own copy of DynamoDB Local: set' \
        'DYNAMODB_LOCAL_HOME to its folder, or use another engine'
    [[ -d $home ]] || die "DYNAMODB_LOCAL_HOME is $home, which is not a folder"
    [[ $home == /* ]] || home=$PWD/$home
    shopt -s nullglob
    jars=("$home"/DynamoDBLocal-*.jar)
    shopt -u nullglob
    if [[ -f $home/DynamoDBLocal.jar && -d $home/DynamoDBLocal_lib ]]; then
        library=$home/DynamoDBLocal_lib
        command=(-jar "$home/DynamoDBLocal.jar")
    elif ((${#jars[@]})); then
        library=$home
        # Before version 3 the packages had other names.
        [[ ${jars[0]##*/} != DynamoDBLocal-[12].* ]] || main=com/amazonaws/services/dynamodbv2
        [[ $main == com/* ]] || main+=/services
        command=(-cp "$home/*" "$main/local/main/ServerRunner")
    else
        die "DYNAMODB_LOCAL_HOME is $home, which holds neither DynamoDBLocal.jar with" \
            "DynamoDBLocal_lib nor DynamoDBLocal-VERSION.jar"
    fi
    require_java
    command=(java "-Djava.library.path=$library" "-Dsqlite4java.library.path=$library"
        "${command[@]}" -port "$1" -sharedDb -disableTelemetry)
    if [[ -n $2 ]]; then command+=(-dbPath "$2"); else command+=(-inMemory); fi
}

# command_for PORT DB: sets command.
command_for() {
    case $engine in
    dynoxide)
        command=("$dynoxide" serve --host 127.0.0.1 --port "$1" --log quiet)
        [[ -z $2 ]] || command+=(--db-path "$2")
        ;;
    moto) command=("$venv_dir/bin/moto_server" -H 127.0.0.1 -p "$1") ;;
    dynamodb-local) dynamodb_local_command "$1" "$2" ;;
    esac
}

# The server outlives its caller: a lock or a pipe that the caller has open must not stay open in it.
close_inherited() {
    local file descriptor
    for file in "/proc/$BASHPID/fd/"*; do
        descriptor=${file##*/}
        # bash reads this script by 255, and closes that itself.
        ((descriptor <= 2 || descriptor == 255)) || exec {descriptor}>&-
    done
}

# launch PORT DB: 0 when it answers, 1 when another process was quicker on the port; else dies.
launch() {
    local port=$1 log pid deadline command
    log=$(log_file "$port")
    command_for "$port" "$2"
    (
        write_owner "$port" "$BASHPID" "$engine" || exit
        close_inherited
        exec setsid "${command[@]}" >"$log" 2>&1 </dev/null
    ) &
    pid=$!
    deadline=$((SECONDS + start_timeout_s))
    while is_alive "$pid"; do
        if [[ $(first_line_from "$port" 2>/dev/null) == HTTP/* ]]; then
            # If another program answered, ours is about to end for want of the port.
            sleep 0.1
            is_alive "$pid" && return 0
        fi
        ((SECONDS < deadline)) || fail "$port" "did not answer within $start_timeout_s s"
        sleep 0.02
    done
    grep -qi 'address already in use' "$log" || fail "$port" 'ended before it answered'
    return 1
}

# make_db_folder FOLDER: for the database, and to write in.
make_db_folder() {
    mkdir -p "$1" || die "--db $db: cannot create the folder $1"
    [[ -w $1 && -x $1 ]] || die "--db $db: the folder $1 cannot be written"
}

# The database as an absolute path, in a folder that exists.
check_db() {
    [[ $db == /* ]] || db=$PWD/$db
    case $engine in
    dynoxide)
        [[ ! -d $db && $db != */ ]] || die "--db $db: dynoxide keeps a file, and this is a folder"
        [[ ! -e $db || (-f $db && -w $db) ]] || die "--db $db: not a file that can be written"
        make_db_folder "${db%/*}/"
        ;;
    moto) die "--db $db: moto keeps everything in memory" ;;
    dynamodb-local)
        [[ ! -f $db ]] || die "--db $db: dynamodb-local keeps a folder, and this is a file"
        make_db_folder "$db"
        ;;
    esac
}

# Without a pid file no server could be stopped.
check_servers_dir() {
    { mkdir -p "$servers_dir" && [[ -w $servers_dir ]] && : >>"$servers_dir/lock"; } 2>/dev/null ||
        die "cannot write in $servers_dir, which holds the pid files; fix its permissions, or set" \
            'XDG_CACHE_HOME to another folder'
}

start() {
    local candidate command
    engine=${engine:-dynoxide}
    [[ -z $db ]] || check_db
    trap abandon_start EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    case $engine in
    dynoxide) [[ -x $dynoxide ]] || install server ;;
    moto) [[ -f "$venv_dir/moto[server]==$moto_version" ]] || install moto ;;
    dynamodb-local) command_for 1 '' ;;
    esac
    check_servers_dir
    for _ in {1..10}; do
        candidate=${port:-$(random_port)}
        claimed=$candidate
        if claim "$candidate"; then
            if launch "$candidate" "$db"; then
                # An interruption now comes too late: the caller has the URL, or no server.
                trap '' HUP INT PIPE TERM
                printf '%s\n' "$(url_of "$candidate")"
                claimed=
                return
            fi
            forget "$candidate"
        fi
        claimed=
        [[ -z $port ]] || die "port $port is in use; choose another, or leave --port out"
    done
    die 'found no free port in ten attempts'
}

ports_running() {
    local candidate owner
    for candidate in $(ports_known); do
        [[ -z $port || $port == "$candidate" ]] || continue
        owner=$(running "$candidate") || continue
        [[ -z $engine || ${owner#* } == "$engine" ]] || continue
        printf '%s\n' "$candidate"
    done
}

none_running() { die "no ${engine:-local} server is running${port:+ on port $port}"; }

stop() {
    local ports owner
    mapfile -t ports < <(ports_running)
    ((${#ports[@]})) || none_running
    ((${#ports[@]} == 1)) || die "several are running; choose one with --port: ${ports[*]}"
    owner=$(running "${ports[0]}") || return 0
    end "${owner% *}" || die "cannot stop pid ${owner% *} on port ${ports[0]}: it still runs, and" \
        'may belong to another user'
    forget "${ports[0]}"
}

status() {
    local ports candidate owner
    mapfile -t ports < <(ports_running)
    ((${#ports[@]})) || none_running
    for candidate in "${ports[@]}"; do
        owner=$(running "$candidate") || continue
        printf '%s pid %s\n' "$(url_of "$candidate")" "$owner"
    done
}

verb=${1:-}
case $verb in
start | stop | status) shift ;;
--help | -h)
    show_usage
    exit 0
    ;;
*)
    show_usage >&2
    die "'$verb' is not a command: there are start, stop and status"
    ;;
esac
port='' db='' engine=''
while (($#)); do
    case $1 in
    --engine | --port | --db) [[ -n ${2:-} ]] || die "$1 needs a value" ;;
    *) die "'$1' is not an option: there are --engine, --port and --db" ;;
    esac
    case $1 in
    --engine)
        [[ $2 =~ ^(dynoxide|moto|dynamodb-local)$ ]] ||
            die "--engine $2: the engines are dynoxide, moto and dynamodb-local"
        engine=$2
        ;;
    --port)
        if ! [[ $2 =~ ^[1-9][0-9]{0,4}$ ]] || (($2 > 65535)); then
            die "--port $2: a port is a number from 1 to 65535"
        fi
        port=$2
        ;;
    --db)
        [[ $verb == start ]] || die "--db $2: $verb has no such option"
        db=$2
        ;;
    esac
    shift 2
done
"$verb"
