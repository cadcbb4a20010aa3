//! Assignment of columns to fields.

use std::collections::HashMap;

use csv::StringRecord;

/// Fields that a kind of file has, each with the usual names of its column.
pub struct Fields {
    names: &'static [(&'static str, &'static [&'static str])],
    required: &'static [&'static str],
}

/// Fields of a session. The names are those of the user log of the gateway.
pub const SESSION: Fields = Fields {
    names: &[
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
    ],
    required: &["login", "user"],
};

/// Fields of the mapping of a person to an employee.
pub const MAPPING: Fields = Fields {
    names: &[
        ("user", &["user", "user name", "username"]),
        ("realm", &["realm", "domain"]),
        ("employee_id", &["employee_id", "employee id"]),
        ("calendar", &["calendar"]),
        ("valid_from", &["valid_from", "valid from"]),
        ("valid_to", &["valid_to", "valid to"]),
    ],
    required: &["user", "employee_id"],
};

/// Columns of a file.
pub struct Columns {
    indices: HashMap<&'static str, usize>,
    headers: StringRecord,
}

/// A column that a file lacks. `all` lists the columns of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// `--map` names a column that does not exist.
    #[error("--map: there is no column {column:?} (the columns are {all})")]
    Unknown {
        /// The column that `--map` names.
        column: String,
        /// Columns of the file.
        all: String,
    },
    /// The column of a required field is missing.
    #[error(
        "no column holds the {field}: name it with --map {field}=COLUMN (the columns are {all})"
    )]
    Missing {
        /// The required field.
        field: &'static str,
        /// Columns of the file.
        all: String,
    },
}

impl Fields {
    /// Parses a value of `--map` in the form `field=column`.
    ///
    /// # Errors
    /// The text does not have this form, or the field is unknown.
    pub fn pair(&self, text: &str) -> Result<(String, String), String> {
        let (field, column) = text
            .split_once('=')
            .ok_or_else(|| format!("must have the form field=column (got {text:?})"))?;
        if self.names.iter().any(|(known, _)| *known == field) {
            return Ok((field.to_owned(), column.to_owned()));
        }
        let fields: Vec<&str> = self.names.iter().map(|(field, _)| *field).collect();
        Err(format!(
            "the field must be one of {} (got {field:?})",
            fields.join(", ")
        ))
    }
}

impl Columns {
    /// Finds the column of each field, by `map` or by its usual name, which is compared
    /// case-insensitively.
    ///
    /// # Errors
    /// A required column is missing. The error names the column and lists those of the file.
    pub fn find(
        headers: &StringRecord,
        fields: &Fields,
        map: &[(String, String)],
    ) -> Result<Self, ColumnError> {
        let position = |name: &str| {
            let mut names = headers.iter();
            names.position(|header| header.eq_ignore_ascii_case(name))
        };
        let all = headers.iter().collect::<Vec<_>>().join(", ");
        let mut indices = HashMap::new();
        for (field, names) in fields.names {
            let mapped = map.iter().find(|(mapped, _)| mapped == field);
            let found = match mapped {
                Some((_, column)) => Some(position(column).ok_or_else(|| {
                    let (column, all) = (column.clone(), all.clone());
                    ColumnError::Unknown { column, all }
                })?),
                None => names.iter().find_map(|name| position(name)),
            };
            indices.extend(found.map(|index| (*field, index)));
        }
        let mut required = fields.required.iter();
        if let Some(field) = required.find(|field| !indices.contains_key(*field)) {
            return Err(ColumnError::Missing { field, all });
        }
        Ok(Self {
            indices,
            headers: headers.clone(),
        })
    }

    /// Returns the value of a field. Returns `None` if the column is missing, or the value is empty
    /// or `-`.
    #[must_use]
    pub fn value<'a>(&self, record: &'a StringRecord, field: &str) -> Option<&'a str> {
        record
            .get(*self.indices.get(field)?)
            .filter(|value| !value.is_empty() && *value != "-")
    }

    /// Returns the names of the columns that no field is read from.
    #[must_use]
    pub fn ignored(&self) -> Vec<&str> {
        let is_read = |index| self.indices.values().any(|read| *read == index);
        let headers = self.headers.iter().enumerate();
        headers
            .filter_map(|(index, header)| (!is_read(index)).then_some(header))
            .collect()
    }

    /// Returns the name of the column from which a field of an event was read.
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
