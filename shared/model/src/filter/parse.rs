//! Reads a text as an expression.
//!
//! Invariant: the bounds of the language are checked while it is read, so what a stranger sends never grows.

use std::net::Ipv6Addr;

use winnow::combinator::{alt, delimited, eof, not, opt, peek, preceded, repeat, separated, terminated};
use winnow::error::{ErrMode, ParserError};
use winnow::stream::{LocatingSlice, Location, Stateful};
use winnow::token::{any, literal, one_of, take_while};
use winnow::{ModalResult, Parser};

use super::expression::{Expression, Limit, Name, Order, Term, Value};
use super::mistake::{MAX_BYTES, MAX_DEPTH, MAX_TERMS, Mistake, Problem, shown};
use super::pattern::{Pattern, Piece};

const A_TERM: &str = "a word, a field or a parenthesis";
const A_VALUE: &str = "a value";
const A_BLANK: &str = "a blank, or quotes around the whole word,";
const THE_END: &str = "AND, OR or the end";

type Input<'a> = Stateful<LocatingSlice<&'a str>, Counted<'a>>;
type Read<T> = ModalResult<T, Wrong>;

/// What is bounded, and what the columns are counted in.
#[derive(Clone, Copy, Debug)]
struct Counted<'a> {
    text: &'a str,
    depth: usize,
    terms: usize,
}

/// What is wrong at a byte of the text.
#[derive(Debug)]
struct Wrong {
    offset: usize,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Expected(&'static str),
    TooDeep,
    TooManyTerms,
}

impl<'a> ParserError<Input<'a>> for Wrong {
    type Inner = Self;

    fn from_input(input: &Input<'a>) -> Self {
        Self { offset: input.current_token_start(), what: What::Expected(A_TERM) }
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

impl std::str::FromStr for Expression {
    type Err = Mistake;

    /// Reads a text; the empty one asks for everything.
    fn from_str(text: &str) -> Result<Self, Mistake> {
        if text.len() > MAX_BYTES {
            return Err(Mistake { column: 1, word: shown(text), problem: Problem::TooLong });
        }
        if text.trim().is_empty() {
            return Ok(Self::All(Vec::new()));
        }
        let state = Counted { text, depth: 0, terms: 0 };
        let mut input = Stateful { input: LocatingSlice::new(text), state };
        whole(&mut input).map_err(|error| match error {
            ErrMode::Backtrack(wrong) | ErrMode::Cut(wrong) => mistake(text, &wrong),
            // It is only ever said of texts that come in parts.
            ErrMode::Incomplete(_) => mistake(text, &Wrong { offset: text.len(), what: What::Expected(A_TERM) }),
        })
    }
}

fn mistake(text: &str, wrong: &Wrong) -> Mistake {
    let rest = text.get(wrong.offset..).unwrap_or_default();
    let trimmed = rest.trim_start();
    let offset = wrong.offset + rest.len() - trimmed.len();
    let length = trimmed.char_indices().skip(1).find(|(_, one)| is_end_of_word(*one)).map_or(trimmed.len(), |at| at.0);
    let word = shown(&trimmed[..length]);
    let problem = match wrong.what {
        What::Expected(expected) => Problem::Expected { word: word.clone(), expected },
        What::TooDeep => Problem::TooDeep,
        What::TooManyTerms => Problem::TooManyTerms,
    };
    Mistake { column: column(text, offset), word, problem }
}

/// The number of the character that begins at a byte, from 1.
fn column(text: &str, offset: usize) -> usize {
    text.get(..offset).map_or(0, |before| before.chars().count()) + 1
}

/// The field that the values in parentheses are of, and its column.
type Scope = Option<(Name, usize)>;

fn whole(input: &mut Input<'_>) -> Read<Expression> {
    let expression = one_of_several(&None, input)?;
    blanks(input)?;
    require(eof, THE_END, input)?;
    Ok(expression)
}

/// `a OR b`.
fn one_of_several(scope: &Scope, input: &mut Input<'_>) -> Read<Expression> {
    let mut parts = vec![all_of_several(scope, input)?];
    while opt(keyword("OR")).parse_next(input)?.is_some() {
        parts.push(all_of_several(scope, input)?);
    }
    Ok(alone(parts).unwrap_or_else(Expression::Any))
}

/// `a b`, `a AND b`.
fn all_of_several(scope: &Scope, input: &mut Input<'_>) -> Read<Expression> {
    let mut parts = vec![part(scope, input)?];
    while opt(keyword("AND")).parse_next(input)?.is_some() || is_more(input)? {
        parts.push(part(scope, input)?);
    }
    Ok(alone(parts).unwrap_or_else(Expression::All))
}

/// Whether another part follows, with nothing but blanks between.
fn is_more(input: &mut Input<'_>) -> Read<bool> {
    let stop = alt((keyword("OR"), (blanks, alt((eof.void(), ')'.void()))).void()));
    Ok(opt(peek(stop)).parse_next(input)?.is_none())
}

/// The one part that there is, or all of several.
fn alone(mut parts: Vec<Expression>) -> Result<Expression, Vec<Expression>> {
    match parts.pop() {
        Some(only) if parts.is_empty() => Ok(only),
        last => {
            parts.extend(last);
            Err(parts)
        }
    }
}

/// `-a`, `NOT a`, `(a)` or a term.
fn part(scope: &Scope, input: &mut Input<'_>) -> Read<Expression> {
    blanks(input)?;
    let negation = alt((('-', not(one_of(char::is_whitespace)), not(eof)).void(), keyword("NOT")));
    if opt(negation).parse_next(input)?.is_some() {
        return deeper(input, |input| part(scope, input)).map(|part| Expression::Not(Box::new(part)));
    }
    if opt('(').parse_next(input)?.is_some() {
        return parenthesis(scope, input);
    }
    require(not(alt((keyword("AND"), keyword("OR")))), A_TERM, input)?;
    match scope {
        Some((name, column)) => value_of(name, *column, input),
        None => term(input),
    }
}

/// What follows an opening parenthesis.
fn parenthesis(scope: &Scope, input: &mut Input<'_>) -> Read<Expression> {
    let inner = deeper(input, |input| one_of_several(scope, input))?;
    blanks(input)?;
    require(')', "AND, OR or a closing parenthesis", input)?;
    Ok(inner)
}

/// Reads what nests one level deeper.
fn deeper<'a, T>(input: &mut Input<'a>, read: impl FnOnce(&mut Input<'a>) -> Read<T>) -> Read<T> {
    if input.state.depth == MAX_DEPTH {
        return Err(wrong(input.current_token_start(), What::TooDeep));
    }
    input.state.depth += 1;
    let inner = read(input);
    input.state.depth -= 1;
    inner
}

/// `field:value`, `field:(a OR b)` or a word.
fn term(input: &mut Input<'_>) -> Read<Expression> {
    let column = here(input);
    // An IPv6 address is a word although a field's name and a colon may stand at its beginning.
    let address = take_while(1.., |one| !is_end_of_word(one)).verify(|word: &str| is_ipv6(word)).void();
    let field = if opt(peek(address)).parse_next(input)?.is_some() {
        None
    } else {
        opt(terminated(name, ':')).parse_next(input)?
    };
    let Some(name) = field else {
        let pattern = require(atom, A_TERM, input)?;
        return counted(Term { column, field: None, value_column: column, value: Value::Is(pattern) }, input);
    };
    if opt('(').parse_next(input)?.is_some() {
        return parenthesis(&Some((name, column)), input);
    }
    value_of(&name, column, input)
}

/// A value, or a comparison with one, or a range.
fn value_of(name: &Name, column: usize, input: &mut Input<'_>) -> Read<Expression> {
    let value_column = here(input);
    let included = opt(alt(('['.value(true), '{'.value(false)))).parse_next(input)?;
    let value = if let Some(included) = included {
        range(included, input)?
    } else if let Some(order) = opt(order).parse_next(input)? {
        Value::Compare(order, require(atom, A_VALUE, input)?)
    } else {
        Value::Is(require(atom, A_VALUE, input)?)
    };
    counted(Term { column, field: Some(name.clone()), value_column, value }, input)
}

/// What follows an opening bracket.
fn range(included: bool, input: &mut Input<'_>) -> Read<Value> {
    let limit = |input: &mut Input<'_>| {
        blanks(input)?;
        require(atom, A_VALUE, input).map(|pattern| Some(pattern).filter(|pattern| !pattern.is_any()))
    };
    let low = Limit { at: limit(input)?, included };
    require(keyword("TO"), "TO", input)?;
    let at = limit(input)?;
    blanks(input)?;
    let included = require(alt((']'.value(true), '}'.value(false))), "] or }", input)?;
    Ok(Value::Range(low, Limit { at, included }))
}

fn order(input: &mut Input<'_>) -> Read<Order> {
    let [a, b, c, d] = Order::ALL.map(|(sign, order)| literal(sign).value(order));
    alt((a, b, c, d)).parse_next(input)
}

/// A term that ends where it must, as one of those that are counted.
fn counted(term: Term, input: &mut Input<'_>) -> Read<Expression> {
    require(peek(alt((eof.void(), one_of((char::is_whitespace, '(', ')')).void()))), A_BLANK, input)?;
    input.state.terms += 1;
    if input.state.terms > MAX_TERMS {
        return Err(wrong(input.current_token_start(), What::TooManyTerms));
    }
    Ok(Expression::Term(term))
}

/// The name of a field, which begins with a letter: nothing else before a colon is one.
fn name(input: &mut Input<'_>) -> Read<Name> {
    let escaped = preceded('\\', any).map(String::from);
    let plain = take_while(1.., |one| !is_end_of_word(one) && !r"\*?:.".contains(one)).map(str::to_owned);
    let part = repeat(1.., alt((escaped, plain))).fold(String::new, |name, piece: String| name + &piece);
    let parts = separated(1.., part, '.').map(Name);
    preceded(peek(one_of((char::is_alphabetic, '_', '\\'))), parts).parse_next(input)
}

/// A phrase, or a word that may have wildcards.
fn atom(input: &mut Input<'_>) -> Read<Pattern> {
    if opt('"').parse_next(input)?.is_some() {
        return phrase(input);
    }
    let escaped = preceded('\\', any).map(|one: char| Piece::Text(one.to_string()));
    let plain = take_while(1.., |one| !is_end_of_word(one) && !r"\*?".contains(one));
    let plain = plain.map(|text: &str| Piece::Text(text.to_owned()));
    let piece = alt((escaped, '*'.value(Piece::Any), '?'.value(Piece::One), plain));
    repeat(1.., piece).fold(Pattern::default, Pattern::with).parse_next(input)
}

/// What follows an opening quote.
fn phrase(input: &mut Input<'_>) -> Read<Pattern> {
    let escaped = preceded('\\', any).map(String::from);
    let plain = take_while(1.., |one| !r#"\""#.contains(one)).map(str::to_owned);
    let text = repeat(0.., alt((escaped, plain))).fold(String::new, |text, piece: String| text + &piece);
    let text = terminated(text, '"').map(|text| Pattern::literal(&text));
    require(text, "a closing quote", input)
}

/// A word of the language, with what blanks there are before it.
fn keyword<'a>(word: &'static str) -> impl Parser<Input<'a>, (), ErrMode<Wrong>> {
    let end = alt((eof.void(), one_of(is_end_of_word).void()));
    delimited(blanks, literal(word), peek(end)).void()
}

fn blanks(input: &mut Input<'_>) -> Read<()> {
    take_while(0.., char::is_whitespace).void().parse_next(input)
}

/// What must stand here: if it does not, nothing else is tried.
fn require<'a, T>(
    mut parser: impl Parser<Input<'a>, T, ErrMode<Wrong>>,
    expected: &'static str,
    input: &mut Input<'a>,
) -> Read<T> {
    let offset = input.current_token_start();
    parser.parse_next(input).map_err(|error| match error {
        ErrMode::Backtrack(_) | ErrMode::Incomplete(_) => wrong(offset, What::Expected(expected)),
        error @ ErrMode::Cut(_) => error,
    })
}

fn wrong(offset: usize, what: What) -> ErrMode<Wrong> {
    ErrMode::Cut(Wrong { offset, what })
}

fn here(input: &Input<'_>) -> usize {
    column(input.state.text, input.current_token_start())
}

fn is_end_of_word(one: char) -> bool {
    one.is_whitespace() || r#"()[]{}""#.contains(one)
}

fn is_ipv6(word: &str) -> bool {
    word.contains(':') && word.parse::<Ipv6Addr>().is_ok()
}
