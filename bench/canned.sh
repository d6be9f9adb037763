#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# A server with one fixed answer, a GetItem of a 1 KiB value as DynamoDB gives it: what is measured
# against it is the client. nginx on loopback, one worker, plain and over TLS by an authority of its
# own.
#     bench/canned.sh start [--core N]    prints a folder, then NAME=VALUE lines: plain, tls, ca
#     bench/canned.sh stop FOLDER
source "$(dirname "${BASH_SOURCE[0]}")/../tools/common.sh"

usage() {
    sed -nE '6,7s/^# ?//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

# The answer's body: pynamodb_mate's record layout, with a value of 1024 bytes.
answer() {
    local value
    value=$(printf '0123456789abcdef%.0s' {1..64} | base64 -w 0)
    printf '{"Item":{"key":{"S":"1k"},"value":{"B":"%s"},"expire":{"N":"0"},' "$value"
    printf '"update_ts":{"N":"1767225600.123456"}}}'
}

# DynamoDB sends it with every answer, and clients check it.
crc32() { python3 -c 'import sys, zlib; print(zlib.crc32(sys.stdin.buffer.read()))'; }

make_certificates() {
    local curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
    openssl req -x509 "${curve[@]}" -keyout "$1/ca.key" -out "$1/ca.pem" -days 30 \
        -subj '/CN=codynamo bench authority' 2>/dev/null
    openssl req -new "${curve[@]}" -keyout "$1/server.key" -out "$1/server.csr" \
        -subj '/CN=localhost' 2>/dev/null
    openssl x509 -req -in "$1/server.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial \
        -days 30 -out "$1/server.pem" 2>/dev/null \
        -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1')
}

# configuration FOLDER PLAIN_PORT TLS_PORT
configuration() {
    cat <<CONF
pid $1/nginx.pid;
error_log $1/error.log warn;
worker_processes 1;
events { worker_connections 8192; }
http {
    access_log off;
    default_type application/x-amz-json-1.0;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path $1/body; proxy_temp_path $1/proxy; fastcgi_temp_path $1/fastcgi;
    uwsgi_temp_path $1/uwsgi; scgi_temp_path $1/scgi;
    server {
        listen 127.0.0.1:$2;
        listen 127.0.0.1:$3 ssl;
        ssl_certificate $1/server.pem;
        ssl_certificate_key $1/server.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        location / {
            add_header x-amzn-RequestId B8QG9L2VJTR8S6V0HNJ6V9S2FVVV4KQNSO5AEMVJF66Q9ASUAAJG always;
            add_header x-amz-crc32 $(answer | crc32) always;
            return 200 '$(answer)';
        }
    }
}
CONF
}

# The start of nginx returns before its worker process exists, and callers count the CPU time of that.
await_worker() {
    local pid
    for _ in {1..500}; do
        pid=$(cat "$1/nginx.pid" 2>/dev/null || true)
        [[ -z $pid || -z $(cat "/proc/$pid/task/$pid/children" 2>/dev/null || true) ]] || return 0
        sleep 0.01
    done
    die "nginx has no worker after 5 s; see $1/error.log"
}

start() {
    local folder port pinned=()
    [[ -z $core ]] || pinned=(taskset -c "$core")
    folder=$(mktemp -d "${TMPDIR:-/tmp}/codynamo-canned.XXXXXX")
    make_certificates "$folder"
    for _ in {1..10}; do
        port=$(random_port)
        configuration "$folder" "$port" "$((port + 1))" >"$folder/nginx.conf"
        "${pinned[@]}" nginx -p "$folder" -c "$folder/nginx.conf" </dev/null \
            >"$folder/start.log" 2>&1 || continue
        await_worker "$folder"
        printf '%s\nplain=http://localhost:%s\ntls=https://localhost:%s\nca=%s\n' \
            "$folder" "$port" "$((port + 1))" "$folder/ca.pem"
        return
    done
    cat "$folder/start.log" >&2
    rm -rf "$folder"
    die 'nginx does not start'
}

# nginx itself knows the pid it wrote, and stops by it.
stop() {
    [[ -f $folder/nginx.conf ]] || die "nothing was started in '$folder'"
    nginx -p "$folder" -c "$folder/nginx.conf" -s stop </dev/null 2>/dev/null
    for _ in {1..100}; do
        [[ -f $folder/nginx.pid ]] || break
        sleep 0.05
    done
    rm -rf "$folder"
}

core='' folder=''
case ${1:-} in
start)
    if (($# == 3)) && [[ $2 == --core ]]; then core=$3; elif (($# != 1)); then usage; fi
    start
    ;;
stop)
    (($# == 2)) || usage
    folder=$2
    stop
    ;;
*) usage ;;
esac
