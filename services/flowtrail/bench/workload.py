"""The workload of the comparison: who is there, the flow records, and the queries.

Everything follows from SEED through random.Random.random() and getrandbits(), which Python keeps the same across
versions. A change to anything here is another workload: figures from before cannot be compared with those after it.
"""

import bisect
import itertools
import json
import random

FAMILY = "traffic"
SEED = 20240607
N_PEERS, N_USERS, N_POLICIES, N_DEST = 2000, 500, 100, 20_000
T0 = 1_746_057_600            # 2025-05-01T00:00:00Z
DAYS = 30
SPAN_US = DAYS * 86_400 * 1_000_000

FIRST = """alice bob carol david emma frank grace henry ivan julia kevin laura mike nina oscar paula
quentin rachel steve tina uma victor wendy xavier yara zoe natalie khalid malik alina boris chen
dimitri elena fatima goran hana igor jana karl lena marek nadia omar petra ravi sofia tomas ursula
vera walter ximena yusuf zara anders bianca carlos dora erik fiona gustav helga ines jonas
katja lukas mona nils olga pedro rosa sven tara ulrich vivian wanda yvonne zlatko arjun beatriz
cyrus divya esteban farah gita hiro isabel jorge""".split()
LAST = """smith jones weber novak garcia rossi kim tanaka silva muller schmidt kowalski ivanov
dubois larsen berg costa ferrari haas jansen keller lopez moreau nilsson olsen pereira quinn
romero santos tran urban vargas wagner young zeman brandt cohen diaz evans fischer""".split()
CITIES = [("Berlin", "DE"), ("Paris", "FR"), ("London", "GB"), ("New York", "US"),
          ("San Jose", "US"), ("Warsaw", "PL"), ("Madrid", "ES"), ("Tokyo", "JP"),
          ("Singapore", "SG"), ("Sydney", "AU"), ("Toronto", "CA"), ("Amsterdam", "NL"),
          ("Prague", "CZ"), ("Vienna", "AT"), ("Milan", "IT"), ("Mumbai", "IN"),
          ("Sao Paulo", "BR"), ("Dublin", "IE"), ("Zurich", "CH"), ("Stockholm", "SE")]
OSES = ["Linux", "Linux", "Linux", "Windows 11", "Windows 10", "macOS 15", "Android 15", "iOS 18"]
KINDS = ["laptop", "desktop", "srv", "build", "phone", "gw", "db", "k8s-node"]
SERVICES = ["api", "web", "git", "mail", "vpn", "ldap", "metrics", "logs", "cache", "queue", "s3",
            "jira", "wiki", "registry", "proxy", "auth", "dns", "ntp", "backup", "crm"]
PORTS = {6: [443, 443, 443, 443, 80, 22, 5432, 6443, 8080, 3306], 17: [53, 53, 53, 123, 443, 443, 51820, 161]}
RARE_NAME = "zanzibar-archive.legacy.example"
T_START, T_END, T_DROP = "TYPE_START", "TYPE_END", "TYPE_DROP"
_B32 = "0123456789abcdefghijklmnopqrstuv"


def xid(r):
    v = r.getrandbits(100)
    return "".join(_B32[(v >> (5 * i)) & 31] for i in range(20))


def zipf_table(r, n, s, bits):
    """2**bits picks of 0..n-1, zipf exponent s; rank 0 is hottest."""
    cum = list(itertools.accumulate(1.0 / (i + 1) ** s for i in range(n)))
    tot = cum[-1]
    return [min(n - 1, bisect.bisect_left(cum, r.random() * tot)) for _ in range(1 << bits)]


class Entities:
    def __init__(self):
        r = random.Random(SEED)
        self.users = []
        for i in range(N_USERS):
            f, l = FIRST[int(r.random() * len(FIRST))], LAST[int(r.random() * len(LAST))]
            uid = ("google-oauth2|%021d" if i % 3 else "auth0|%024x") % r.getrandbits(68)
            self.users.append({"id": uid, "email": f"{f}.{l}{i}@corp.example", "name": f"{f.title()} {l.title()}"})
        self.policies = [{"id": xid(r), "name": f"policy-{i:03d} " + ("All to All" if i == 0 else
                          SERVICES[i % len(SERVICES)] + " access")} for i in range(N_POLICIES)]
        self.peers = []
        for i in range(N_PEERS):
            u = int(r.random() ** 1.6 * N_USERS)
            city, cc = CITIES[int(r.random() * len(CITIES))]
            kind = KINDS[int(r.random() * len(KINDS))]
            name = f"{self.users[u]['email'].split('.')[0]}-{kind}-{i:04d}" if kind in ("laptop", "desktop", "phone") \
                else f"{kind}-{cc.lower()}-{i:04d}"
            self.peers.append({"id": xid(r), "type": "PEER", "name": name, "city": city, "cc": cc,
                               "os": OSES[int(r.random() * len(OSES))], "ip": f"100.{64 + i // 250 % 64}.{i % 7}.{i % 250 + 1}",
                               "dns": f"{name}.corp.mesh", "user": u, "policy": int(r.random() ** 2 * N_POLICIES)})
        self.dests = []
        for i in range(N_DEST):
            svc = SERVICES[int(r.random() * len(SERVICES))]
            city, cc = CITIES[int(r.random() * len(CITIES))]
            a, b = r.getrandbits(8), r.getrandbits(8)
            net = ["10.%d.%d.%d" % (i % 64, a, b), "172.%d.%d.%d" % (16 + i % 16, a, b),
                   "198.%d.%d.%d" % (18 + i % 2, a, b), "%d.%d.%d.%d" % (20 + i % 180, i % 251, a, b)][i % 4]
            kind = ["HOST_RESOURCE", "SUBNET_RESOURCE", "DOMAIN_RESOURCE", "UNKNOWN"][i % 4]
            name = RARE_NAME if i == 11_000 else (f"{svc}-{i:05d}.{cc.lower()}.example" if i % 4 != 3 else "")
            self.dests.append({"id": xid(r) if kind != "UNKNOWN" else "", "type": kind, "name": name, "city": city,
                               "cc": cc, "os": "", "ip": net, "dns": name if i % 4 == 2 else ""})
        self.peer_pick = zipf_table(r, N_PEERS, 0.8, 18)
        self.dest_pick = zipf_table(r, N_DEST, 1.05, 20)
        self.gateways = [i for i, p in enumerate(self.peers) if p["name"].startswith("gw-")][:40]


def _side(p):
    """Everything up to the port inside the address, and what follows it."""
    head = json.dumps({"id": p["id"], "type": p["type"], "name": p["name"],
                       "geo_location": {"city_name": p["city"], "country_code": p["cc"]},
                       "os": p["os"], "address": p["ip"] + ":"}, separators=(",", ":"))[:-2]
    return head, '","dns_label":' + json.dumps(p["dns"]) + "}"


def records(n, seed=SEED):
    """Yields n NDJSON lines (str, newline included)."""
    e = Entities()
    r = random.Random(seed + n)
    rnd, bits = r.random, r.getrandbits
    days = ["2025-05-%02dT" % (i + 1) if i < 31 else "2025-06-%02dT" % (i - 30) for i in range(DAYS + 4)]
    hms = ["%02d:%02d:%02d." % (s // 3600, s // 60 % 60, s % 60) for s in range(86_400)]
    psides = [_side(p) for p in e.peers]
    dsides = [_side(p) for p in e.dests]
    users = [json.dumps(u, separators=(",", ":")) for u in e.users]
    pols = [json.dumps(p, separators=(",", ":")) for p in e.policies]
    step = SPAN_US / n
    peers, gws = e.peers, e.gateways
    ppick, dpick = e.peer_pick, e.dest_pick

    def ts(us):
        d, rem = divmod(us, 86_400_000_000)
        s, f = divmod(rem, 1_000_000)
        return "%s%s%06dZ" % (days[d], hms[s], f)

    for i in range(n):
        jit = rnd()
        # mostly increasing; 2 % arrive up to ten minutes late
        t = int(i * step + jit * 5e6) if jit < 0.98 else int(i * step - rnd() * 6e8)
        if t < 0:
            t = 0
        s = ppick[bits(18)]
        src = peers[s]
        x = rnd()
        proto = 6 if x < 0.70 else 17 if x < 0.97 else 1
        routed = rnd() < 0.55
        ingress = rnd() < 0.45
        if routed:
            d = dpick[bits(20)]
            dh, dt_ = dsides[d]
            rep = peers[gws[d % len(gws)]] if ingress else src
        else:
            d = ppick[bits(18)]
            dh, dt_ = psides[d]
            rep = peers[d] if ingress else src
        sh, st = psides[s]
        if proto == 1:
            sport = dport = 0
            icmp = '{"type":8,"code":0}' if bits(2) else '{"type":3,"code":1}'
        else:
            ports = PORTS[proto]
            dport = ports[bits(16) % len(ports)]
            sport = 32768 + bits(15) % 28232
            icmp = '{"type":0,"code":0}'
        y = rnd()
        if y < 0.90:
            dur = int(rnd() ** 4 * 3e8) + 1000
            ev = '{"type":"TYPE_START","timestamp":"%s"},{"type":"TYPE_END","timestamp":"%s"}' % (ts(t), ts(t + dur))
        elif y < 0.95:
            ev = '{"type":"TYPE_START","timestamp":"%s"}' % ts(t)
        else:
            ev = '{"type":"TYPE_DROP","timestamp":"%s"}' % ts(t)
        rxp, txp = 1 + int(rnd() ** 6 * 5000), 1 + int(rnd() ** 6 * 5000)
        h = "%032x" % bits(128)
        yield (f'{{"flow_id":"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}","reporter_id":"{rep["id"]}",'
               f'"source":{sh}{sport}{st},"destination":{dh}{dport}{dt_},"user":{users[src["user"]]},'
               f'"policy":{pols[src["policy"]]},"icmp":{icmp},"protocol":{proto},'
               f'"connection_type":"{"ROUTED" if routed else "P2P"}","direction":"{"INGRESS" if ingress else "EGRESS"}",'
               f'"rx_bytes":{rxp * (60 + bits(10))},"rx_packets":{rxp},"tx_bytes":{txp * (60 + bits(10))},'
               f'"tx_packets":{txp},"events":[{ev}]}}\n')


def us_of(day, hour=0, minute=0):
    return (T0 + day * 86_400 + hour * 3600 + minute * 60) * 1_000_000


def queries():
    """name -> list of parameter variants.  Keys are the API's query parameters; times are epoch micros."""
    e = Entities()
    hot = {}
    for i in e.peer_pick:
        hot[e.peers[i]["user"]] = hot.get(e.peers[i]["user"], 0) + 1
    by_heat = sorted(hot, key=lambda u: -hot[u])
    U = [e.users[by_heat[k]]["id"] for k in (0, 5, 20, 80, 200, 350)]
    R = [e.peers[k]["id"] for k in (0, 5, 50, 300, 1500)] + [e.peers[e.gateways[0]]["id"]]
    day = 86_400_000_000
    P = {"page": 1, "page_size": 50}
    return {
        "Q1 newest50": [dict(P)],
        "Q2 user": [dict(P, user_id=u) for u in U],
        "Q3 reporter+1d": [dict(P, reporter_id=x, start=us_of(d), end=us_of(d) + day) for x, d in zip(R, (3, 9, 14, 20, 25, 28))],
        "Q4 udp egress 7d": [dict(P, protocol=17, direction="EGRESS", start=us_of(d), end=us_of(d) + 7 * day) for d in (0, 7, 14, 22)],
        "Q5 search ali": [dict(P, search="ali")],
        "Q6 search rare": [dict(P, search=s) for s in ("ZANZIBAR", "zanzibar-archive", "laptop-1987", e.dests[9000]["ip"])],
        "Q7 page1000 tcp": [dict(P, page=1000, protocol=6)],
        "Q8 1h drop": [dict(P, type=T_DROP, start=us_of(d, h), end=us_of(d, h + 1)) for d, h in ((2, 3), (11, 14), (19, 9), (28, 20))],
    }
