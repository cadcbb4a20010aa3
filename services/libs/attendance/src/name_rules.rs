//! Rules of a source that turn the names that it reports into user and realm, so that one person
//! has one name.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    DEFAULT_REALM,
    event::{Event, Names, TEXT_BYTES},
    name::normalize,
    user_form::UserForm,
};

/// Rules in the order in which they are applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRules(pub Vec<NameRule>);

/// A rule. Its text form is that of the command line and of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum NameRule {
    /// `split=FORM` splits a user name of this form. The other part becomes the realm.
    Split(UserForm),
    /// `strip=FORM` splits a user name of this form and drops the other part.
    Strip(UserForm),
    /// `map_realm=FROM:TO` replaces a realm. Names are compared in normalized form.
    MapRealm {
        /// Realm that is replaced. An event without a realm has [`DEFAULT_REALM`].
        from: String,
        /// Realm that replaces it.
        to: String,
    },
    /// `lower_case=user` or `lower_case=realm` writes a name in lower case.
    LowerCase(Part),
}

/// Part of [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The user.
    User,
    /// The realm.
    Realm,
}

/// Reason why a text is no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be split=FORM, strip=FORM, map_realm=FROM:TO, lower_case=user or lower_case=realm; FORM \
     is down_level, upn, realm_roles or display_name"
)]
pub struct NameRuleError;

const FORMS: [(&str, UserForm); 4] = [
    ("down_level", UserForm::DownLevel),
    ("upn", UserForm::Upn),
    ("realm_roles", UserForm::RealmRoles),
    ("display_name", UserForm::DisplayName),
];

const PARTS: [(&str, Part); 2] = [("user", Part::User), ("realm", Part::Realm)];

impl NameRules {
    /// Applies the rules to the names of an event. If they change a name, the event also keeps the
    /// names as reported.
    pub fn apply(&self, event: &mut Event) {
        let Some((user, realm)) = event.names().filter(|_| !self.0.is_empty()) else {
            return;
        };
        let reported = Names {
            user: user.to_owned(),
            realm: realm.map(ToOwned::to_owned),
        };
        let mut names = reported.clone();
        for rule in &self.0 {
            names = rule.apply(&names).unwrap_or(names);
        }
        if names != reported {
            event.rename(names);
        }
    }
}

impl NameRule {
    /// Returns the names that the rule gives, or `None` if it does not concern these names.
    fn apply(&self, names: &Names) -> Option<Names> {
        let Names { user, realm } = names.clone();
        let names = match self {
            Self::Split(form) => {
                let parts = form.split(&user)?;
                Names {
                    user: parts.user.to_owned(),
                    realm: parts.realm.map(ToOwned::to_owned).or(realm),
                }
            }
            Self::Strip(form) => Names {
                user: form.split(&user)?.user.to_owned(),
                realm,
            },
            Self::MapRealm { from, to } => {
                let reported = realm.as_deref().unwrap_or(DEFAULT_REALM);
                let realm = (normalize(reported) == normalize(from)).then(|| to.clone())?;
                let realm = Some(realm);
                Names { user, realm }
            }
            Self::LowerCase(Part::User) => Names {
                user: lower_case(&user)?,
                realm,
            },
            Self::LowerCase(Part::Realm) => Names {
                user,
                realm: Some(lower_case(&realm?)?),
            },
        };
        Some(names)
    }
}

/// Returns a name in lower case, or `None` if it becomes too long.
fn lower_case(name: &str) -> Option<String> {
    Some(name.to_lowercase()).filter(|name| is_valid(name))
}

fn is_valid(name: &str) -> bool {
    (1..=TEXT_BYTES).contains(&name.len()) && !name.chars().any(char::is_control)
}

impl FromStr for NameRule {
    type Err = NameRuleError;

    fn from_str(text: &str) -> Result<Self, NameRuleError> {
        let rule = text.split_once('=').and_then(|(kind, value)| match kind {
            "split" => Some(Self::Split(named(&FORMS, value)?)),
            "strip" => Some(Self::Strip(named(&FORMS, value)?)),
            "map_realm" => {
                let (from, to) = value.split_once(':')?;
                (is_valid(from) && is_valid(to)).then(|| Self::MapRealm {
                    from: from.to_owned(),
                    to: to.to_owned(),
                })
            }
            "lower_case" => Some(Self::LowerCase(named(&PARTS, value)?)),
            _ => None,
        });
        rule.ok_or(NameRuleError)
    }
}

impl TryFrom<String> for NameRule {
    type Error = NameRuleError;

    fn try_from(text: String) -> Result<Self, NameRuleError> {
        text.parse()
    }
}

impl fmt::Display for NameRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Split(form) => write!(formatter, "split={}", name_of(&FORMS, *form)),
            Self::Strip(form) => write!(formatter, "strip={}", name_of(&FORMS, *form)),
            Self::MapRealm { from, to } => write!(formatter, "map_realm={from}:{to}"),
            Self::LowerCase(part) => write!(formatter, "lower_case={}", name_of(&PARTS, *part)),
        }
    }
}

impl From<NameRule> for String {
    fn from(rule: NameRule) -> Self {
        rule.to_string()
    }
}

fn named<T: Copy>(values: &[(&str, T)], name: &str) -> Option<T> {
    let found = values.iter().find(|(known, _)| *known == name)?;
    Some(found.1)
}

fn name_of<T: Copy + PartialEq>(values: &[(&'static str, T)], value: T) -> &'static str {
    let found = values.iter().find(|(_, known)| *known == value);
    found.map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests;
