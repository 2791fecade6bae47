use super::*;

fn reach(list: &str) -> Reach {
    list.parse().unwrap()
}

/// What a URL leads to where no name resolves: a hostile one must fail by its form alone.
const HOSTILE: &[&str] = &[
    // Loopback and this host.
    "https://127.0.0.1/",
    "https://127.0.0.1:8443/x",
    "https://127.255.255.254/",
    "https://0.0.0.0/",
    "https://0.1.2.3/",
    "https://[::1]/",
    "https://[::]/",
    // Private, shared, link-local, benchmark, documentation.
    "https://10.0.0.1/",
    "https://100.64.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://192.0.0.1/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://198.51.100.1/",
    "https://203.0.113.9/",
    "https://[fc00::1]/",
    "https://[fd12:3456:789a::1]/",
    "https://[fe80::1]/",
    "https://[2001:db8::1]/",
    // Where clouds keep their machines' credentials.
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    // Multicast, broadcast, reserved.
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://255.255.255.255/",
    "https://240.0.0.1/",
    "https://[ff02::1]/",
    // IPv4 inside IPv6: mapped, compatible, NAT64, 6to4, Teredo.
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::8.8.8.8]/",
    "https://[64:ff9b:1::a00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:a9fe:a9fe::1]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    // Odd spellings, also of public addresses.
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.1/",
    "https://127.0.1/",
    "https://10.1/",
    "https://8.8.2056/",
    "https://134744072/",
    "https://127.0.0.1./",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[2606:4700::0:1111]/",
    "https://[fe80::1%25eth0]/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://%31%32%37.0.0.1/",
    "https://exa%6dple.com/",
    "https://example.com./",
    "https://localhost./",
    "https://bücher.example/",
    "https://ｌｏｃａｌｈｏｓｔ/",
    "https://exam\u{ad}ple.com/",
    // User information and what passes for it.
    "https://user:password@example.com/",
    "https://user@example.com/",
    "https://:@example.com/",
    "https://@example.com/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1#@example.com/",
    "https://example.com\\@127.0.0.1/",
    "https:\\\\example.com/",
    "https:/example.com/",
    "https:example.com",
    "https:///example.com/",
    // Control characters and spaces, which parsers drop.
    "https://exam\tple.com/",
    "https://example.com/\r\nX-Injected: 1",
    " https://example.com/",
    "https://example.com/a b",
    "ht\ntps://example.com/",
    // Ports of other protocols.
    "https://example.com:22/",
    "https://example.com:25/",
    "https://example.com:0/",
    // Not encrypted, or no web address at all.
    "http://example.com/",
    "http://8.8.8.8/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "//example.com/",
    "example.com",
    "https://",
    "",
];

#[test]
fn a_hostile_url_is_refused_by_its_form() {
    assert!(HOSTILE.len() >= 60);
    for text in HOSTILE {
        let read = Reach::default().web(text);
        assert!(read.is_err(), "{text:?} became {read:?}");
    }
}

#[test]
fn a_public_receiver_is_taken_as_it_is_written() {
    let target = |text: &str| Reach::default().web(text).map(|target| (target.host, target.port));
    assert_eq!(target("https://example.com/x?y#z"), Ok(("example.com".into(), 443)));
    assert_eq!(target("https://EXAMPLE.com:8443"), Ok(("example.com".into(), 8443)));
    assert_eq!(target("https://xn--bcher-kva.example/"), Ok(("xn--bcher-kva.example".into(), 443)));
    assert_eq!(target("https://8.8.8.8/"), Ok(("8.8.8.8".into(), 443)));
    assert_eq!(target("https://[2606:4700::1111]:444/"), Ok(("2606:4700::1111".into(), 444)));
    assert_eq!(target("HTTPS://example.com/"), Ok(("example.com".into(), 443)));
}

#[test]
fn what_the_operator_allows_may_be_reached_without_tls_and_nothing_else() {
    let reach = reach("127.0.0.0/8, fd00::/8,203.0.113.9");
    for text in ["http://127.0.0.1:9000/", "https://127.0.0.1/", "http://[fd00::7]/", "http://203.0.113.9/"] {
        assert!(reach.web(text).is_ok(), "{text}");
    }
    // A mapped address is another one, and an odd spelling stays odd.
    for text in
        ["http://[::ffff:127.0.0.1]/", "http://127.1/", "http://10.0.0.1/", "http://8.8.8.8/", "http://127.0.0.1:25/"]
    {
        assert!(reach.web(text).is_err(), "{text}");
    }
    // A name without TLS is taken, because it may resolve to what is allowed; its addresses are checked then.
    assert!(reach.web("http://receiver.example/").is_ok());
    assert_eq!(reach.check("8.8.8.8".parse().unwrap(), false), Err(Unreachable::Plain));
    assert_eq!(reach.check("8.8.8.8".parse().unwrap(), true), Ok(()));
}

#[test]
fn a_host_and_port_follow_the_same_rules() {
    let read = |text: &str| Reach::default().tcp(text, true);
    assert_eq!(
        read("logs.example.com:6514"),
        Ok(Target { host: "logs.example.com".into(), port: 6514, encrypted: true })
    );
    assert_eq!(read("[2606:4700::1111]:6514").map(|target| target.host), Ok("2606:4700::1111".into()));
    for text in [
        "logs.example.com",
        "logs.example.com:",
        "logs.example.com:x",
        "logs.example.com:+514",
        "logs.example.com:70000",
        "logs.example.com:25",
        "a@logs.example.com:6514",
        "logs.example.com/x:6514",
        "127.0.0.1:6514",
        "0x7f000001:6514",
        "[::1]:6514",
        "::1:6514",
        ":6514",
        "",
    ] {
        assert!(read(text).is_err(), "{text:?}");
    }
    assert_eq!(Reach::default().tcp("logs.example.com:514", false), Err(Unreachable::Plain));
}

#[test]
fn a_list_of_the_operator_that_is_none_names_its_bad_part() {
    assert_eq!("10.0.0.0/8,intranet".parse::<Reach>(), Err("intranet".parse::<Networks>().unwrap_err()));
    assert_eq!("".parse::<Reach>(), Ok(Reach::default()));
}
