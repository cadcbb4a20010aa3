//! Which column holds what.

use std::collections::HashMap;

use csv::StringRecord;

/// What a row may hold, and how the gateway's own user log names it. Names are compared without regard to case.
const FIELDS: [(&str, &[&str]); 10] = [
    ("login", &["login", "login time"]),
    ("logout", &["logout", "logout time"]),
    ("user", &["user", "user name", "username"]),
    ("realm", &["realm", "domain"]),
    ("display_name", &["display name"]),
    ("wan_ip", &["wan ip"]),
    ("client_ip", &["client ip"]),
    ("mac", &["mac", "mac address"]),
    ("device", &["device"]),
    ("reason", &["reason"]),
];

/// The columns of a file.
pub struct Columns {
    indices: HashMap<&'static str, usize>,
    headers: StringRecord,
}

/// Reads one `field=column` of `--map`.
///
/// # Errors
/// It is none, or there is no such field.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (field, column) = text
        .split_once('=')
        .ok_or_else(|| format!("got {text:?}, takes field=column"))?;
    if FIELDS.iter().any(|(known, _)| *known == field) {
        return Ok((field.to_owned(), column.to_owned()));
    }
    let fields: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
    Err(format!(
        "got the field {field:?}, takes one of {}",
        fields.join(", ")
    ))
}

impl Columns {
    /// Finds each field's column, by `map` or by its usual name. Login and user must be there.
    ///
    /// # Errors
    /// A column is missing; the text says which, and which there are.
    pub fn find(headers: &StringRecord, map: &[(String, String)]) -> Result<Self, String> {
        let position = |name: &str| {
            headers.iter().position(|header| {
                header
                    .trim_start_matches('\u{feff}')
                    .eq_ignore_ascii_case(name)
            })
        };
        let mut indices = HashMap::new();
        for (field, names) in FIELDS {
            let mapped = map.iter().find(|(mapped, _)| mapped == field);
            let found = match mapped {
                Some((_, column)) => Some(position(column).ok_or_else(|| {
                    format!("--map: there is no column {column:?}; there are {headers:?}")
                })?),
                None => names.iter().find_map(|name| position(name)),
            };
            indices.extend(found.map(|index| (field, index)));
        }
        for field in ["login", "user"] {
            if !indices.contains_key(field) {
                return Err(format!(
                    "no column holds the {field}: name it with --map {field}=COLUMN; there are {headers:?}"
                ));
            }
        }
        Ok(Self {
            indices,
            headers: headers.clone(),
        })
    }

    /// The value of a field; none where the column or the value is missing, or the value is `-`.
    #[must_use]
    pub fn value<'a>(&self, record: &'a StringRecord, field: &str) -> Option<&'a str> {
        record
            .get(*self.indices.get(field)?)
            .filter(|value| !value.is_empty() && *value != "-")
    }

    /// The name of the column that a refused field of an event came from.
    #[must_use]
    pub fn name<'a>(&'a self, field: &'a str) -> &'a str {
        let field = if field == "occurred_at" {
            "login"
        } else {
            field
        };
        self.indices
            .get(field)
            .and_then(|index| self.headers.get(*index))
            .unwrap_or(field)
    }
}
