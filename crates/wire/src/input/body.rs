//! Reads a body: JSON with every key once, whole numbers only, checked against a schema. All
//! faults are listed, each with its JSON pointer.

use std::fmt;

use domain::rejection::Fault;
use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Why a body is refused.
#[derive(Debug, PartialEq)]
pub enum BodyError {
    /// It is not JSON.
    Malformed(String),
    /// It is JSON, and at fault.
    Invalid(Vec<Fault>),
}

/// A schema ready for checking.
pub struct Shape(jsonschema::Validator);

impl Shape {
    /// Compiles one of our own schemas.
    #[must_use]
    pub fn compile(schema: &Value) -> Self {
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(schema)
            .expect("our own schemas are valid");
        Self(validator)
    }

    /// Every fault of a value.
    #[must_use]
    pub fn faults(&self, value: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        fractions(value, At::Root, &mut faults);
        faults.extend(
            self.0
                .iter_errors(value)
                .flat_map(|error| describe(&error))
                .take(FAULTS_MAX),
        );
        faults
    }
}

/// Our words for what the validator found. What is missing or not wanted is named where it stands.
fn describe(error: &jsonschema::ValidationError<'_>) -> Vec<Fault> {
    use jsonschema::error::ValidationErrorKind as Kind;
    let at = error.instance_path().to_string();
    let member = |name: &str| format!("{at}/{}", escaped(name));
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| Fault {
                pointer: member(name),
                message: "is not a known field".to_owned(),
            })
            .collect(),
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Fault {
                pointer: member(name),
                message: "is required".to_owned(),
            }]
        }
        Kind::Pattern { pattern } if pattern.starts_with("^[^\\u0000]") => {
            vec![Fault {
                pointer: at,
                message: "must not contain U+0000".to_owned(),
            }]
        }
        Kind::MaxLength { limit } => {
            let message = format!("has more than {limit} characters");
            let pointer = at;
            vec![Fault { pointer, message }]
        }
        _ => {
            let message: String = error.to_string().chars().take(300).collect();
            vec![Fault {
                pointer: at,
                message,
            }]
        }
    }
}

/// Faults of one kind that are listed at most: more say nothing more.
const FAULTS_MAX: usize = 100;
/// Characters of a pointer that are shown.
const POINTER_MAX: usize = 300;

/// Where a value stands: links to the parents, so that a path is spelled out for a fault only.
#[derive(Clone, Copy)]
enum At<'a> {
    Root,
    Key(&'a At<'a>, &'a str),
    Index(&'a At<'a>, usize),
}

impl At<'_> {
    /// The JSON pointer (RFC 6901), cut where it is absurdly long.
    fn pointer(self) -> String {
        let pointer = match self {
            At::Root => String::new(),
            At::Key(parent, name) => {
                let name: String = name.chars().take(POINTER_MAX).collect();
                format!("{}/{}", parent.pointer(), escaped(&name))
            }
            At::Index(parent, index) => format!("{}/{index}", parent.pointer()),
        };
        pointer.chars().take(POINTER_MAX).collect()
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Numbers with a fraction or an exponent: no field takes them, whatever their value.
fn fractions(value: &Value, at: At<'_>, faults: &mut Vec<Fault>) {
    if faults.len() >= FAULTS_MAX {
        return;
    }
    match value {
        Value::Number(number) if number.is_f64() => {
            let message = "must be a whole number, without fraction or exponent".to_owned();
            faults.push(Fault {
                pointer: at.pointer(),
                message,
            });
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                fractions(item, At::Index(&at, index), faults);
            }
        }
        Value::Object(members) => {
            for (name, item) in members {
                fractions(item, At::Key(&at, name), faults);
            }
        }
        _ => {}
    }
}

/// Parses JSON in which every key stands once.
pub fn parse(bytes: &[u8]) -> Result<Value, BodyError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let mut twice = Vec::new();
    let value = Strict {
        twice: &mut twice,
        at: At::Root,
    }
    .deserialize(&mut deserializer)
    .and_then(|value| deserializer.end().map(|()| value));
    match value {
        Ok(value) if twice.is_empty() => Ok(value),
        Ok(_) => Err(BodyError::Invalid(twice)),
        Err(error) if error.to_string().starts_with("number out of range") => {
            let message = format!("a {error}");
            Err(BodyError::Invalid(vec![Fault {
                pointer: String::new(),
                message,
            }]))
        }
        Err(error) => Err(BodyError::Malformed(format!(
            "the body is not JSON: {error}"
        ))),
    }
}

/// Turns a value that fits its schema into its type.
pub(super) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Vec<Fault>> {
    serde_json::from_value(value).map_err(|error| {
        vec![Fault {
            pointer: String::new(),
            message: error.to_string(),
        }]
    })
}

/// Builds a value and notes keys that stand twice in one object.
struct Strict<'a> {
    twice: &'a mut Vec<Fault>,
    at: At<'a>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let at = At::Index(&self.at, items.len());
            let Some(item) = seq.next_element_seed(Strict {
                twice: self.twice,
                at,
            })?
            else {
                return Ok(Value::Array(items));
            };
            items.push(item);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let at = At::Key(&self.at, &name);
            if members.contains_key(&name) && self.twice.len() < FAULTS_MAX {
                let message = "stands more than once".to_owned();
                self.twice.push(Fault {
                    pointer: at.pointer(),
                    message,
                });
            }
            let member = map.next_value_seed(Strict {
                twice: self.twice,
                at,
            })?;
            members.insert(name, member);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn every_fault_is_listed_where_it_stands() {
        let schema = schema::object(
            &[
                ("title", schema::name(3)),
                (
                    "lines",
                    schema::list(schema::object(&[("n", schema::quantity())], &["n"]), 1, 2),
                ),
            ],
            &["title"],
        );
        let shape = Shape::compile(&schema);
        let cases: [(&str, &[&str]); 8] = [
            (r#"{"title":"abc"}"#, &[]),
            ("{}", &["/title"]),
            (
                r#"{"title":"abcd","x":1,"lines":[{"n":0},{}]}"#,
                &["/lines/0/n", "/lines/1/n", "/title", "/x"],
            ),
            (r#"{"title":"a","lines":[{"n":1.0}]}"#, &["/lines/0/n"]),
            (r#"{"title":"a","lines":[{"n":1e3}]}"#, &["/lines/0/n"]),
            (r#"{"title":"a\u0000"}"#, &["/title"]),
            ("[]", &[""]),
            ("null", &[""]),
        ];
        for (body, expected) in cases {
            let mut found: Vec<_> = shape
                .faults(&parse(body.as_bytes()).unwrap())
                .into_iter()
                .map(|f| f.pointer)
                .collect();
            found.sort();
            found.dedup();
            assert_eq!(found, expected, "{body}");
        }
    }

    #[test]
    fn a_key_may_stand_once() {
        let Err(BodyError::Invalid(faults)) = parse(br#"{"a":1,"b":{"c":1,"c":2},"a":3}"#) else {
            panic!("must be refused");
        };
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/b/c", "/a"]);
    }

    /// A body of 256 KiB must not grow into gigabytes of pointers.
    #[test]
    fn faults_are_few_and_short_whatever_the_body() {
        let key = "k".repeat(100_000);
        let twice = format!(r#"{{"{key}":{{{}"":0}}}}"#, r#""":0,"#.repeat(20_000));
        let Err(BodyError::Invalid(faults)) = parse(twice.as_bytes()) else {
            panic!("must be refused");
        };
        let shape = Shape::compile(&serde_json::json!({}));
        let halves = parse(format!(r#"{{"{key}":[{}1]}}"#, "0.5,".repeat(30_000)).as_bytes());
        for faults in [faults, shape.faults(&halves.unwrap())] {
            assert!(faults.len() <= FAULTS_MAX);
            assert!(
                faults
                    .iter()
                    .all(|fault| fault.pointer.len() <= POINTER_MAX)
            );
        }
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        let deep = "[".repeat(10_000);
        for body in [
            "",
            "{",
            "{]",
            "nul",
            "{} x",
            "{'a':1}",
            "NaN",
            "\u{feff}{}",
            &deep,
        ] {
            assert!(
                matches!(parse(body.as_bytes()), Err(BodyError::Malformed(_))),
                "{body:.20}"
            );
        }
        assert!(matches!(
            parse(&[b'"', 0xff, b'"']),
            Err(BodyError::Malformed(_))
        ));
        let digits = format!("[{}]", "9".repeat(400));
        assert!(matches!(
            parse(digits.as_bytes()),
            Err(BodyError::Invalid(_))
        ));
    }
}
