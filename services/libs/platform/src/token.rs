//! Access tokens: claims and verification.

use actix_web::{HttpRequest, http::StatusCode, http::header};
use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Serialize};

use crate::{
    allow_list::AllowList, clock::Clock, envelope::Problem, jwks::Jwks, request::bearer,
    settings::Token,
};

/// Scope that allows a client to read reports.
pub const REPORTING_READ: &str = "reporting:read";
/// Scope that allows a client to change employee mappings.
pub const ATTENDANCE_WRITE: &str = "attendance:write";
/// Scope for all operations that no other scope covers.
pub const ADMIN: &str = "admin";

const NEW_TOKEN: &str = "Get a new token from /api/v1/auth/connect.";

/// Claims of a token (RFC 7519, and RFC 9068 for `scope`). Times in seconds since the Unix epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs, reason = "registered names")]
pub struct Claims {
    pub iss: String,
    /// Name of the API client.
    pub sub: String,
    pub aud: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub jti: String,
    /// Scopes, separated by spaces.
    pub scope: String,
}

impl Claims {
    /// Returns true if the token grants `scope`.
    #[must_use]
    pub fn grants(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == scope)
    }
}

/// Reason why a token is rejected.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token was not issued by this installation, or it was altered.
    #[error("The token is not valid: {0}. {NEW_TOKEN}")]
    Invalid(&'static str),
    /// The token has expired. The value is its lifetime in seconds.
    #[error("The token has expired: tokens are valid for {0} seconds. {NEW_TOKEN}")]
    Expired(i64),
    /// The token is not in the allow-list.
    #[error("The token has been revoked or has expired. {NEW_TOKEN}")]
    Revoked,
    /// The token cannot be verified at the moment.
    #[error("The token cannot be verified at the moment: {0}. Repeat the call.")]
    Unavailable(&'static str),
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unavailable(_) => Self::unavailable(error.to_string()),
            _ => Self::invalid_token(error.to_string()),
        }
    }
}

/// Verifies tokens: first the signature, then the claims, then the allow-list.
#[derive(Clone)]
pub struct Verifier {
    jwks: Jwks,
    allow_list: AllowList,
    clock: Clock,
    validation: Validation,
}

impl Verifier {
    /// Creates a verifier of tokens with the issuer and the audience in `settings`.
    #[must_use]
    pub fn new(settings: &Token, jwks: Jwks, allow_list: AllowList, clock: Clock) -> Self {
        Self {
            jwks,
            allow_list,
            clock,
            validation: validation(settings),
        }
    }

    /// Verifies a token and returns its claims.
    ///
    /// # Errors
    /// The reason why the token is rejected.
    #[tracing::instrument(name = "token.verify", skip_all)]
    pub async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let kid = key_id(token)?;
        let key = self
            .jwks
            .key(&kid)
            .await
            .map_err(|_| TokenError::Unavailable("its keys cannot be fetched"))?;
        let key = key.ok_or(TokenError::Invalid("its key is unknown"))?;
        let claims = check(token, &key, &self.validation, &self.clock)?;
        match self.allow_list.contains(&claims.jti).await {
            Ok(true) => Ok(claims),
            Ok(false) => Err(TokenError::Revoked),
            Err(_) => Err(TokenError::Unavailable("the token store does not answer")),
        }
    }

    /// Verifies the bearer token of a request and returns its claims, if the token grants `scope`.
    ///
    /// # Errors
    /// 401 for a missing or rejected token, 403 for a missing scope, 503 if the token cannot be
    /// verified.
    pub async fn authorize(&self, request: &HttpRequest, scope: &str) -> Result<Claims, Problem> {
        let token = bearer(request).ok_or_else(|| {
            Problem::unauthorized(
                "The request has no token. Send the header Authorization: Bearer with the token \
                 from /api/v1/auth/connect.",
            )
        })?;
        let claims = self.verify(token).await?;
        if claims.grants(scope) {
            return Ok(claims);
        }
        let message = format!(
            "The API client lacks the scope {scope}. Ask the operator for a client with this scope."
        );
        Err(Problem::new(StatusCode::FORBIDDEN, message).with_static(
            header::WWW_AUTHENTICATE,
            r#"Bearer error="insufficient_scope""#,
        ))
    }
}

/// Returns the rules for signature and claims. `exp` and `nbf` are not covered: [`check`] compares
/// them with the injected clock.
#[must_use]
pub fn validation(settings: &Token) -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = 0;
    validation.validate_exp = false;
    validation.set_issuer(&[&settings.issuer]);
    validation.set_audience(&[&settings.audience]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation
}

/// Returns the `kid` of a token.
///
/// # Errors
/// The header is not `{"alg":"RS256","typ":"JWT","kid":…}`.
pub fn key_id(token: &str) -> Result<String, TokenError> {
    let header = jsonwebtoken::decode_header(token)
        .map_err(|_| TokenError::Invalid("it is not a JWT signed with RS256"))?;
    if header.alg != Algorithm::RS256 || header.typ.as_deref() != Some("JWT") {
        return Err(TokenError::Invalid("it is not a JWT signed with RS256"));
    }
    header.kid.ok_or(TokenError::Invalid("it has no kid"))
}

/// Checks the signature, the claims and the times of a token. The leeway is 0: a token is expired
/// from the second `exp` on.
///
/// # Errors
/// The reason why the token is rejected.
pub fn check(
    token: &str,
    key: &jsonwebtoken::DecodingKey,
    validation: &Validation,
    clock: &Clock,
) -> Result<Claims, TokenError> {
    let claims = jsonwebtoken::decode::<Claims>(token, key, validation)
        .map_err(|_| TokenError::Invalid("its signature or its claims are not valid"))?
        .claims;
    let now = clock.now().as_second();
    if now >= claims.exp {
        return Err(TokenError::Expired(claims.exp - claims.iat));
    }
    if now < claims.nbf {
        return Err(TokenError::Invalid("it is not valid yet"));
    }
    Ok(claims)
}
