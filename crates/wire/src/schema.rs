//! JSON Schema (2020-12, as `OpenAPI` 3.1 uses it), built once and used twice: the document shows
//! these schemas, and request bodies are checked against the very same ones.

use domain::limits::{AMOUNT_MAX, QUANTITY_MAX, STOCK_MAX, TEXT_MAX};
use serde_json::{Map, Value, json};

/// An object with these members and no others.
#[must_use]
pub fn object(members: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> = members
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// An answer's object: every member is always there.
#[must_use]
pub fn answer(members: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    object(members, &names)
}

/// The same, or `null`.
#[must_use]
pub fn nullable(schema: Value) -> Value {
    let mut schema = schema;
    if let Some(kind) = schema
        .get("type")
        .and_then(Value::as_str)
        .map(str::to_owned)
    {
        schema["type"] = json!([kind, "null"]);
        if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
        return schema;
    }
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// A text of up to `most` characters without U+0000.
#[must_use]
pub fn text(most: usize) -> Value {
    json!({"type": "string", "maxLength": most, "pattern": "^[^\\u0000]*$"})
}

/// A text of 1 to `most` characters without U+0000.
#[must_use]
pub fn name(most: usize) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": most, "pattern": "^[^\\u0000]*$"})
}

/// A text of up to 2,000 characters.
#[must_use]
pub fn long_text() -> Value {
    text(TEXT_MAX)
}

/// A UUID.
#[must_use]
pub fn uuid() -> Value {
    json!({"type": "string", "format": "uuid"})
}

/// An e-mail address, loosely.
#[must_use]
pub fn email() -> Value {
    json!({"type": "string", "maxLength": 254, "pattern": "^[^@\\s\\u0000]+@[^@\\s\\u0000]+$"})
}

/// An integer between two bounds.
#[must_use]
pub fn integer(least: i64, most: i64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}

/// Any integer.
#[must_use]
pub fn any_integer() -> Value {
    json!({"type": "integer"})
}

/// Money, not below zero, in minor units.
#[must_use]
pub fn money() -> Value {
    integer(0, AMOUNT_MAX)
}

/// Units in a line.
#[must_use]
pub fn quantity() -> Value {
    integer(1, QUANTITY_MAX)
}

/// Units on a level.
#[must_use]
pub fn stock() -> Value {
    integer(0, STOCK_MAX)
}

/// True or false.
#[must_use]
pub fn flag() -> Value {
    json!({"type": "boolean"})
}

/// An ISO 4217 code.
#[must_use]
pub fn currency() -> Value {
    json!({"type": "string", "pattern": "^[A-Z]{3}$"})
}

/// A time.
#[must_use]
pub fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// One of these names.
#[must_use]
pub fn one_of(names: &[&str]) -> Value {
    json!({"type": "string", "enum": names})
}

/// A list.
#[must_use]
pub fn list(items: Value, least: usize, most: usize) -> Value {
    json!({"type": "array", "items": items, "minItems": least, "maxItems": most})
}

/// A list of an answer.
#[must_use]
pub fn any_list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// An object of free names with values of one kind.
#[must_use]
pub fn map(values: Value, most: usize) -> Value {
    json!({"type": "object", "additionalProperties": values, "maxProperties": most})
}

/// An object of free names with free texts.
#[must_use]
pub fn names_to_texts(most: usize) -> Value {
    let mut schema = map(long_text(), most);
    schema["propertyNames"] = name(TEXT_MAX);
    schema
}

/// A component of the document, by name.
#[must_use]
pub fn component(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A schema with an example beside it.
#[must_use]
pub fn with_example(schema: Value, example: &Value) -> Value {
    let mut schema = schema;
    schema["examples"] = json!([example]);
    schema
}
