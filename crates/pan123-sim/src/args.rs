//! The parameters of a call: what the reference names, checked in strict mode and understood kindly in lenient mode.

use serde_json::{Map, Value};

use crate::reply::Refusal;

/// A parameter as the reference lists it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    /// For a doubled spelling: the name that it repeats.
    pub(crate) repeats: Option<&'static str>,
    /// Another name that some client sends, for lenient mode.
    pub(crate) alias: Option<&'static str>,
    /// Whether the reference wants the name to be found in any case.
    pub(crate) any_case: bool,
    /// Whether lenient mode does without it.
    pub(crate) lax: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Query,
    Json,
    Form,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Json => "JSON body",
            Self::Form => "form",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Text,
    Bool,
    Ints,
    Texts,
    /// A list of objects.
    Objects,
    /// Whatever it is; the operation looks at it.
    Any,
}

impl Param {
    pub(crate) const fn new(name: &'static str, place: Place, kind: Kind) -> Self {
        Self { name, place, kind, required: true, repeats: None, alias: None, any_case: false, lax: false }
    }

    pub(crate) const fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// Required in strict mode alone: working clients leave it out.
    pub(crate) const fn lax(mut self) -> Self {
        self.lax = true;
        self
    }

    pub(crate) const fn any_case(mut self) -> Self {
        self.any_case = true;
        self
    }

    pub(crate) const fn alias(mut self, name: &'static str) -> Self {
        self.alias = Some(name);
        self
    }

    /// The same value again under another name or in another place; the reference advises some of these.
    pub(crate) const fn repeats(mut self, name: &'static str) -> Self {
        self.required = false;
        self.repeats = Some(name);
        self
    }
}

/// A parameter as it arrived.
pub(crate) type Given = (Place, String, Value);

/// The parameters of one call, under the reference's names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args(Vec<(&'static str, Value)>);

impl Args {
    pub(crate) fn read(params: &[Param], given: Vec<Given>, lenient: bool) -> Result<Self, Refusal> {
        let mut args = Self::default();
        for (place, name, value) in given {
            let Some(param) = find(params, place, &name, lenient) else {
                if lenient {
                    continue;
                }
                return Err(Refusal::rule(format!("unknown field `{name}` in the {}", place.name())));
            };
            if lenient && (value.is_null() || (value == "" && param.kind != Kind::Text)) {
                continue;
            }
            let value = if lenient { understand(param.kind, &value) } else { check(param.kind, place, &value) };
            let Some(value) = value else {
                return Err(Refusal::rule(format!("`{name}` in the {} is not {}", place.name(), wanted(param.kind))));
            };
            args.put(param, &name, place, value, lenient)?;
        }
        for param in params.iter().filter(|param| param.required && !(lenient && param.lax)) {
            if args.get(param.name).is_none() {
                return Err(Refusal::rule(format!("`{}` is missing from the {}", param.name, param.place.name())));
            }
        }
        Ok(args)
    }

    fn put(&mut self, param: &Param, name: &str, place: Place, value: Value, lenient: bool) -> Result<(), Refusal> {
        let key = param.repeats.unwrap_or(param.name);
        match self.0.iter_mut().find(|(held, _)| *held == key) {
            None => self.0.push((key, value)),
            // A form has a list as one name several times.
            Some((_, Value::Array(held))) if lenient && place == Place::Form => match value {
                Value::Array(more) => held.extend(more),
                one => held.push(one),
            },
            Some((_, held)) if lenient && place == Place::Form && param.kind == Kind::Any => {
                *held = Value::from(vec![held.take(), value]);
            }
            Some((_, Value::String(held))) if lenient && place == Place::Form && param.kind == Kind::Text => {
                held.push(',');
                held.push_str(value.as_str().unwrap_or_default());
            }
            Some(held) if lenient => {
                if name == key {
                    held.1 = value;
                }
            }
            Some(held) if held.1 == value && (param.repeats.is_some() || params_differ(name, key)) => {}
            Some(_) => return Err(Refusal::rule(format!("`{name}` is given twice"))),
        }
        Ok(())
    }

    /// A parameter as it was given.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }

    pub(crate) fn objects(&self, name: &str) -> Vec<&Map<String, Value>> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object).collect()
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// A number that is required, so that it is there.
    pub(crate) fn int(&self, name: &str) -> i64 {
        self.opt_int(name).unwrap_or_default()
    }

    pub(crate) fn opt_int(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64()
    }

    /// A text, empty when it is optional and not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn opt_text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A truth value, false when it is not there.
    pub(crate) fn bool(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(crate) fn ints(&self, name: &str) -> Vec<i64> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_i64).collect()
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

fn params_differ(name: &str, key: &str) -> bool {
    name != key
}

fn find<'a>(params: &'a [Param], place: Place, name: &str, lenient: bool) -> Option<&'a Param> {
    let named = |param: &&Param| param.name == name || (param.any_case && param.name.eq_ignore_ascii_case(name));
    let exact = params.iter().find(|param| named(param) && param.place == place);
    if exact.is_some() || !lenient {
        return exact;
    }
    let folded = fold(name);
    let called =
        |param: &&Param, name: &str| fold(param.name) == name || param.alias.is_some_and(|alias| fold(alias) == name);
    params.iter().find(|param| param.name == name).or_else(|| params.iter().find(|param| called(param, &folded)))
}

/// Working clients write `clientID`, `clientId` and `client_id`.
pub(crate) fn fold(name: &str) -> String {
    name.chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect()
}

/// Strict mode: the JSON type of the reference; in queries and forms its plain text.
fn check(kind: Kind, place: Place, value: &Value) -> Option<Value> {
    if place == Place::Json {
        let right = match kind {
            Kind::Int => value.is_i64(),
            Kind::Text => value.is_string(),
            Kind::Bool => value.is_boolean(),
            Kind::Ints => value.as_array().is_some_and(|list| list.iter().all(Value::is_i64)),
            Kind::Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            Kind::Objects => value.as_array().is_some_and(|list| list.iter().all(Value::is_object)),
            Kind::Any => true,
        };
        return right.then(|| value.clone());
    }
    let text = value.as_str()?;
    match kind {
        Kind::Int => text.parse::<i64>().ok().filter(|number| number.to_string() == text).map(Value::from),
        Kind::Text | Kind::Any => Some(value.clone()),
        Kind::Bool => text.parse::<bool>().ok().map(Value::from),
        Kind::Ints | Kind::Texts | Kind::Objects => None,
    }
}

/// Lenient mode: whatever can only mean one thing.
fn understand(kind: Kind, value: &Value) -> Option<Value> {
    match kind {
        Kind::Int => match value {
            Value::String(text) => text.trim().parse::<i64>().ok().map(Value::from),
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)).map(Value::from),
            _ => None,
        },
        Kind::Text => match value {
            Value::String(_) => Some(value.clone()),
            Value::Number(number) => Some(Value::from(number.to_string())),
            Value::Bool(truth) => Some(Value::from(truth.to_string())),
            _ => None,
        },
        Kind::Bool => match value {
            Value::Bool(_) => Some(value.clone()),
            Value::Number(number) => number.as_i64().map(|number| Value::from(number != 0)),
            Value::String(text) => match text.trim().to_lowercase().as_str() {
                "true" | "1" => Some(Value::from(true)),
                "false" | "0" => Some(Value::from(false)),
                _ => None,
            },
            _ => None,
        },
        Kind::Any => Some(value.clone()),
        Kind::Objects => value.as_array().filter(|list| list.iter().all(Value::is_object)).map(|_| value.clone()),
        Kind::Ints | Kind::Texts => {
            let item = if kind == Kind::Ints { Kind::Int } else { Kind::Text };
            let list: Vec<Value> = match value {
                Value::Array(list) => list.clone(),
                Value::String(text) if kind == Kind::Ints => text.split(',').map(Value::from).collect(),
                Value::String(_) | Value::Number(_) => vec![value.clone()],
                _ => return None,
            };
            list.iter().map(|value| understand(item, value)).collect::<Option<Vec<_>>>().map(Value::from)
        }
    }
}

fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "a whole number",
        Kind::Text => "a text",
        Kind::Bool => "true or false",
        Kind::Ints => "a list of whole numbers",
        Kind::Texts => "a list of texts",
        Kind::Objects => "a list of objects",
        Kind::Any => "a value",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PARAMS: &[Param] = &[
        Param::new("parentID", Place::Json, Kind::Int),
        Param::new("name", Place::Json, Kind::Text),
        Param::new("containDir", Place::Json, Kind::Bool).optional(),
        Param::new("ids", Place::Json, Kind::Ints).optional(),
        Param::new("parentDir", Place::Json, Kind::Int).repeats("parentID"),
    ];

    fn read(body: Value, lenient: bool) -> Result<Args, Refusal> {
        let given =
            body.as_object().unwrap().iter().map(|(name, value)| (Place::Json, name.clone(), value.clone())).collect();
        Args::read(PARAMS, given, lenient)
    }

    #[test]
    fn strict_mode_wants_exact_names_and_types() {
        let args = read(json!({"parentID": 5, "name": "a", "parentDir": 5}), false).unwrap();
        assert_eq!((args.int("parentID"), args.text("name"), args.bool("containDir")), (5, "a", false));
        for bad in [
            json!({"parentId": 5, "name": "a"}),
            json!({"parentID": "5", "name": "a"}),
            json!({"parentID": 5}),
            json!({"parentID": 5, "name": "a", "x": 1}),
            json!({"parentID": 5, "name": "a", "containDir": null}),
            json!({"parentID": 5, "name": "a", "parentDir": 6}),
        ] {
            let refusal = read(bad.clone(), false).unwrap_err();
            assert!(refusal.code == 1 && refusal.message.starts_with("sim: "), "{bad}: {refusal:?}");
        }
    }

    #[test]
    fn lenient_mode_understands_what_working_clients_send() {
        let body = json!({"parentid": "5", "NAME": 7, "contain_dir": "True", "ids": "1, 2", "x": null, "name": null});
        let args = read(body, true).unwrap();
        assert_eq!((args.int("parentID"), args.text("name"), args.bool("containDir")), (5, "7", true));
        assert_eq!(args.ints("ids"), [1, 2]);
        assert!(read(json!({"parentID": "five", "name": "a"}), true).is_err());
        assert!(read(json!({"parentID": {}, "name": "a"}), true).is_err());
    }
}
