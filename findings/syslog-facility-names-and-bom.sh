#!/bin/sh
# rsyslog 8.2302.0-1+deb12u1 and syslog-ng 3.38.1-5+deb12u1 (Debian 12, x86_64) read the same RFC 5424 message differently:
#
# - They call the facilities 13 to 15 by different names. Who filters by name finds nothing on the other server.
# - rsyslog keeps the byte order mark that RFC 5424 (6.4) puts before a text in UTF-8 as part of %msg%, and writes it into
#   every file; syslog-ng takes it off. A comparison with the text that was sent fails on one of them.
#
# Seen, of facility 13, 14 and 15 with the text <BOM>Tür (the mark is shown as ^):
#   rsyslog     audit|^Tür    alert|^Tür     clock|^Tür
#   syslog-ng   security|Tür  console|Tür    solaris-cron|Tür
#
# Unpacks both into a temporary folder, sends each three messages over TCP on loopback, counted in octets, and compares.
# Exits 0 while that is so, 1 when it has changed, 2 where the packages cannot be had. Needs curl, dpkg-deb and python3.
set -eu
archive=https://deb.debian.org/debian
place=$(mktemp -d)
rsyslog='' syslog_ng=''
ended() {
    for id in $rsyslog $syslog_ng; do kill "$id" 2>/dev/null || true; done
    wait
    rm -rf "$place"
}
trap ended EXIT

while read -r digest path; do
    package=$place/$(basename "$path")
    curl -fsSL -o "$package" "$archive/$path" || { echo "$path cannot be had"; exit 2; }
    echo "$digest  $package" | sha256sum -c --quiet || exit 2
    dpkg-deb -x "$package" "$place/root"
done <<PINS
28432316dbf240962bb7c71871615a513f08443af7f745c604576d5b509d2535 pool/main/r/rsyslog/rsyslog_8.2302.0-1+deb12u1_amd64.deb
3f6e2aa4baa98be02db4ade424c5e2c6a87f8ee1103cafd6a5ab4df4835d7015 pool/main/libe/libestr/libestr0_0.1.11-1_amd64.deb
62aff2ca7d0fdee225e1c166f86c88910e5593a838cc87bbb9f5552f4222e487 pool/main/libf/libfastjson/libfastjson4_1.2304.0-1_amd64.deb
17c2239800a4fad4bccfc182613ded8a285a1fde18c0ce04d79a03cb3d9f7d3a pool/main/s/syslog-ng/syslog-ng-core_3.38.1-5+deb12u1_amd64.deb
e17ba948f690fbc25c553ba00d6ea05463d76e9daf447bd7e713485e14d6263c pool/main/i/ivykis/libivykis0_0.42.4-1_amd64.deb
9e0677a92de3df272e3a87a4e1591a71cb8c03fdea2bac68908ac4177066bb7f pool/main/libn/libnet/libnet1_1.1.6+dfsg-3.2_amd64.deb
993ea623ce5b42d67f653f2faaa7ef15e7c9d72bfcb93e22a1eaff7aa3532303 pool/main/p/pcre3/libpcre3_8.39-15_amd64.deb
cbce2669a3ba4d74cfdc52b14f38014893e23d85a33d109a3422c342eefc55f8 pool/main/t/tcp-wrappers/libwrap0_7.6.q-32_amd64.deb
c0d83437fdb016cb289436f49f28a36be44b3e8f1f2498c7e3a095f709c0d6f8 pool/main/libn/libnsl/libnsl2_1.3.0-2_amd64.deb
2a46d5a5e9486da11ffeff5740931740d6deae4f92cd6098df060dc5dff1e1c7 pool/main/libt/libtirpc/libtirpc3_1.3.3+ds-1_amd64.deb
d0e1ed8637d1c26b9720f6057d6355f18378bba5cc2553e459d1632783c00d70 pool/main/j/json-c/libjson-c5_0.16-2_amd64.deb
PINS

usr=$place/root/usr
libraries=$usr/lib/x86_64-linux-gnu:$place/root/lib/x86_64-linux-gnu:$usr/lib/syslog-ng
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
rsyslog_port=$(port) syslog_ng_port=$(port)

cat > "$place/rsyslog.conf" <<CONF
global(workDirectory="$place" net.enableDNS="off")
module(load="imtcp")
template(name="line" type="string" string="%syslogfacility-text%|%msg%\n")
ruleset(name="write") { action(type="omfile" file="$place/rsyslog.out" template="line") }
input(type="imtcp" address="127.0.0.1" port="$rsyslog_port" ruleset="write")
CONF
cat > "$place/syslog-ng.conf" <<CONF
@version: 3.38
source s { syslog(transport("tcp") ip("127.0.0.1") port($syslog_ng_port)); };
destination d { file("$place/syslog-ng.out" template("\$FACILITY|\$MESSAGE\n")); };
log { source(s); destination(d); };
CONF
LD_LIBRARY_PATH=$libraries "$usr/sbin/rsyslogd" -n -i NONE -M "$usr/lib/x86_64-linux-gnu/rsyslog" -f "$place/rsyslog.conf" &
rsyslog=$!
LD_LIBRARY_PATH=$libraries "$usr/sbin/syslog-ng" --foreground --no-caps --module-path="$usr/lib/syslog-ng/3.38" \
    --cfgfile="$place/syslog-ng.conf" --persist-file="$place/persist" --pidfile="$place/pid" --control="$place/control" &
syslog_ng=$!

python3 - "$place" "$rsyslog_port" "$syslog_ng_port" <<'PYTHON'
import pathlib, socket, sys, time

place, ports = pathlib.Path(sys.argv[1]), {"rsyslog": int(sys.argv[2]), "syslog-ng": int(sys.argv[3])}
expected = {
    "rsyslog": ["audit|^Tür", "alert|^Tür", "clock|^Tür"],
    "syslog-ng": ["security|Tür", "console|Tür", "solaris-cron|Tür"],
}


def connected(port):
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.05)
    sys.exit("it does not listen")


changed = False
for name, port in ports.items():
    with connected(port) as connection:
        for facility in (13, 14, 15):
            message = f"<{facility * 8 + 6}>1 2024-01-31T12:00:00.000000Z host app - id - \ufeffTür".encode()
            connection.sendall(b"%d %s" % (len(message), message))
    found = []
    for _ in range(200):
        out = place / f"{name}.out"
        found = out.read_text().replace("\ufeff", "^").splitlines() if out.exists() else []
        if len(found) == 3:
            break
        time.sleep(0.05)
    print(f"{name:11} {'  '.join(found)}")
    changed |= found != expected[name]
sys.exit(changed)
PYTHON
