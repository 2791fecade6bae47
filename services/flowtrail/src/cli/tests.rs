use clap::CommandFactory;

use super::*;

#[test]
fn the_examples_of_what_is_asked_can_be_run_and_the_help_tells_exit_codes() {
    for (name, told) in [
        ("query", ask::query::EXAMPLES),
        ("tail", ask::tail::EXAMPLES),
        ("export", ask::export::EXAMPLES),
        ("facets", ask::facets::EXAMPLES),
        ("top", ask::top::EXAMPLES),
    ] {
        let help = Cli::command().find_subcommand_mut(name).unwrap().render_long_help().to_string();
        // Lines that are too long are broken.
        let text = |lines: &str| lines.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text(&help).contains(&text(told)) && told.contains("Exit codes: 0 "), "{help}");
        let examples: Vec<&str> =
            told.lines().filter_map(|line| line.find(&format!("flowtrail {name} ")).map(|at| &line[at..])).collect();
        assert!(examples.len() > 3, "{told}");
        for example in examples {
            let parsed = Cli::try_parse_from(words(example));
            assert!(parsed.is_ok(), "{example}: {parsed:?}");
        }
    }
}

/// A command's words, as a shell takes it apart, up to where its output goes.
fn words(command: &str) -> Vec<&str> {
    let words = command
        .split('\'')
        .enumerate()
        .flat_map(|(number, part)| if number % 2 == 1 { vec![part] } else { part.split_whitespace().collect() });
    words.take_while(|word| *word != "|").collect()
}

#[test]
fn a_query_may_begin_with_a_minus_wherever_flags_stand() {
    for command in ["query", "tail", "facets"] {
        for words in [[command, "audit", "-actor:*", "--json"], [command, "audit", "--json", "-actor:*"]] {
            let parsed = Cli::try_parse_from(["flowtrail"].into_iter().chain(words)).unwrap();
            assert!(
                format!("{:?}", parsed.command).contains(r#"q: Some("-actor:*")"#),
                "{words:?}: {:?}",
                parsed.command
            );
        }
        assert!(Cli::try_parse_from(["flowtrail", command, "audit", "--jsn"]).is_err());
    }
}

#[test]
fn the_help_of_import_tells_exit_codes_and_its_examples_can_be_run() {
    let mut command = Cli::command().term_width(0);
    let help = command.find_subcommand_mut("import").unwrap().render_long_help().to_string();
    for told in ["Exit codes:", "  0  all of it was imported", "  1  something was rejected", "  2  the command line"] {
        assert!(help.contains(told), "{told}");
    }
    let examples: Vec<&str> =
        help.lines().filter_map(|line| line.find("flowtrail import ").map(|at| &line[at..])).collect();
    let examples: Vec<&str> = examples.into_iter().filter(|example| !example.contains('`')).collect();
    assert!(examples.len() > 5, "{help}");
    for example in examples {
        let parsed = Cli::try_parse_from(example.split_whitespace());
        assert!(parsed.is_ok(), "{example}");
    }
}

#[test]
fn only_traffic_has_pairs() {
    assert!(Cli::try_parse_from(["flowtrail", "top", "traffic"]).is_ok());
    let refused = Cli::try_parse_from(["flowtrail", "top", "audit"]).unwrap_err().to_string();
    assert!(refused.contains("[possible values: traffic]"), "{refused}");
}
