//! Forms in which gateways write a user and a realm as one name.

use serde::Deserialize;

/// Form of a user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserForm {
    /// `DOMAIN\user`.
    DownLevel,
    /// `user@realm`.
    Upn,
    /// `user(REALM)[ROLES]`, where the roles are optional.
    RealmRoles,
    /// `First Last (user)`.
    DisplayName,
}

/// The parts of a user name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Name of the user.
    pub user: &'a str,
    /// Realm of the user, in all forms but [`UserForm::DisplayName`].
    pub realm: Option<&'a str>,
    /// Name of the person, in [`UserForm::DisplayName`].
    pub display_name: Option<&'a str>,
}

impl UserForm {
    /// Returns the parts of a name, or `None` if the name has another form.
    #[must_use]
    pub fn split(self, name: &str) -> Option<Parts<'_>> {
        let (user, other) = match self {
            Self::DownLevel => {
                let (realm, user) = name.split_once('\\')?;
                (user.trim_start_matches('\\'), realm)
            }
            Self::Upn => name.rsplit_once('@')?,
            Self::RealmRoles => {
                let (user, rest) = name.split_once('(')?;
                (user, rest.split_once(')')?.0)
            }
            Self::DisplayName => {
                let (display_name, user) = name.strip_suffix(')')?.rsplit_once(" (")?;
                (user, display_name)
            }
        };
        let (user, other) = (user.trim(), Some(other.trim()));
        let is_complete = !user.is_empty() && other != Some("");
        is_complete.then(|| match self {
            Self::DisplayName => Parts {
                user,
                display_name: other,
                ..Parts::default()
            },
            _ => Parts {
                user,
                realm: other,
                ..Parts::default()
            },
        })
    }
}

/// Splits a name by the first form that fits.
#[must_use]
pub fn split<'a>(forms: &[UserForm], name: &'a str) -> Option<Parts<'a>> {
    forms.iter().find_map(|form| form.split(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_form_that_fits_splits_the_name() {
        let forms = [UserForm::DownLevel, UserForm::Upn, UserForm::RealmRoles];
        for (name, expected) in [
            (r"CORP\tim", Some(("tim", "CORP"))),
            (r"CORP\\tim", Some(("tim", "CORP"))),
            (r"CORP\tim@corp.example", Some(("tim@corp.example", "CORP"))),
            ("tim@corp.example", Some(("tim", "corp.example"))),
            ("tim(Staff)[Users, Admins]", Some(("tim", "Staff"))),
            ("tim(Staff)", Some(("tim", "Staff"))),
            ("tim", None),
            ("@corp", None),
            ("tim@", None),
            (r"\tim", None),
            ("tim()", None),
            ("tim(x", None),
        ] {
            let parts = split(&forms, name);
            let parts = parts.map(|parts| (parts.user, parts.realm.unwrap_or_default()));
            assert_eq!(parts, expected, "{name}");
        }
        assert_eq!(split(&[], "tim@corp.example"), None);
        let parts = split(
            &[UserForm::DisplayName, UserForm::RealmRoles],
            "Tim Bo (tim)",
        );
        let expected = Parts {
            user: "tim",
            realm: None,
            display_name: Some("Tim Bo"),
        };
        assert_eq!(parts, Some(expected));
    }
}
