//! The ways by which events arrive.

/// A way by which events arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// The ingestion endpoint, which the forwarder uses too.
    Http,
    /// RADIUS accounting.
    Radius,
    /// Syslog over UDP, TCP or TLS.
    Syslog,
    /// An import of a file by the command line.
    Import,
}

impl Receiver {
    const ALL: [Self; 4] = [Self::Http, Self::Radius, Self::Syslog, Self::Import];

    /// Returns the name that clients see and the database stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Radius => "radius",
            Self::Syslog => "syslog",
            Self::Import => "import",
        }
    }

    /// Parses the name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|receiver| receiver.as_str() == name)
    }
}
