#!/usr/bin/env bash
# Runs a throw-away Postgres 18 with pgvector: prints its address once it answers, serves until it
# is told to end (TERM), and then removes its data. Where that cannot be, it ends without an
# address. Everything else is said on standard error.
#
# It takes an installed Postgres 18 if there is one. Otherwise, as root on Debian, it unpacks one
# into a folder of its own (about a minute, kept for the next run). FRESHET_CI_POSTGRES=off: neither.
set -euo pipefail
exec 3>&1 1>&2

case "${FRESHET_CI_POSTGRES:-on}" in off | no | 0) exit 0 ;; esac

root=${FRESHET_CI_POSTGRES_ROOT:-/var/cache/freshet/postgres-18}
bin=/usr/lib/postgresql/18/bin
data=/tmp/freshet-postgres-$$

is_installed() {
  [ -x $bin/postgres ] && [ -f /usr/share/postgresql/18/extension/vector.control ]
}

unpack() {
  [ -x "$root$bin/postgres" ] && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "no Postgres 18 with pgvector is installed, and none can be unpacked here"
    exit 0
  fi
  command -v debootstrap >/dev/null ||
    { apt-get update -qq && apt-get install -y -qq debootstrap; }
  rm -rf "$root.new"
  mkdir -p "$root.new"
  # Debian's newest script serves the later releases, which an older debootstrap does not know.
  timeout 280 debootstrap --variant=minbase --include=postgresql-18,postgresql-18-pgvector \
    forky "$root.new" "" /usr/share/debootstrap/scripts/sid >"$root.log" 2>&1
  rm -rf "$root.new/var/cache/apt/archives" "$root"
  mv "$root.new" "$root"
}

if is_installed; then
  root=""
  as_postgres=()
  # Postgres refuses to run as root.
  [ "$(id -u)" = 0 ] && as_postgres=(runuser -u postgres --)
else
  unpack
  as_postgres=(chroot --userspec=postgres "$root")
fi

sleeper=
stop() {
  [ -z "$sleeper" ] || kill "$sleeper" || true
  "${as_postgres[@]}" $bin/pg_ctl -D "$data" -m immediate stop
  rm -rf "${root:-}$data"
}
trap stop EXIT
trap 'exit 0' TERM INT HUP

port=
for candidate in {54330..54349}; do
  (: <"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null || { port=$candidate && break; }
done

"${as_postgres[@]}" $bin/initdb -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
  --no-sync >/dev/null
# A throw-away server need not survive a crash; shared memory in a file, as a chroot lacks /dev/shm.
cat >>"$root$data/postgresql.conf" <<EOF
listen_addresses = '127.0.0.1'
port = $port
max_connections = 100
unix_socket_directories = ''
dynamic_shared_memory_type = mmap
fsync = off
synchronous_commit = off
full_page_writes = off
EOF
"${as_postgres[@]}" $bin/pg_ctl -D "$data" -w -l "$data/server.log" start >/dev/null 3>&-
echo "postgres://postgres@127.0.0.1:$port/postgres" >&3
exec 3>&-

sleep infinity &
sleeper=$!
wait $sleeper
