//! Access tokens: their claims, and the check of a token that a caller presents.

use actix_web::{HttpRequest, http::StatusCode, http::header};
use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Serialize};

use crate::{
    allow_list::AllowList, clock::Clock, envelope::Problem, jwks::Jwks, request::bearer,
    settings::Token,
};

/// Lets a caller read reports.
pub const REPORTING_READ: &str = "reporting:read";
/// Lets a caller do what no other scope allows.
pub const ADMIN: &str = "admin";

const NEW_TOKEN: &str = "Get a new one from /api/v1/auth/connect.";

/// Claims of a token (RFC 7519, and RFC 9068 for `scope`). Times in seconds since the Unix epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs, reason = "registered names")]
pub struct Claims {
    pub iss: String,
    /// The API client's name.
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
    /// Whether the token grants `scope`.
    #[must_use]
    pub fn grants(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == scope)
    }
}

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not one of ours, or altered.
    #[error("The token is not valid: {0}. {NEW_TOKEN}")]
    Invalid(&'static str),
    /// Its time is over.
    #[error("The token has expired: it is good for {0} seconds. {NEW_TOKEN}")]
    Expired(i64),
    /// Redis does not know it.
    #[error("The token has been revoked or has expired. {NEW_TOKEN}")]
    Revoked,
    /// It cannot be told now.
    #[error("The token cannot be checked now: {0}. Repeat the call.")]
    Unavailable(&'static str),
}

impl From<TokenError> for Problem {
    fn from(refused: TokenError) -> Self {
        match refused {
            TokenError::Unavailable(_) => Self::unavailable(refused.to_string()),
            _ => Self::invalid_token(refused.to_string()),
        }
    }
}

/// Checks tokens: signature by the JWKS, claims, then Redis.
#[derive(Clone)]
pub struct Verifier {
    jwks: Jwks,
    live: AllowList,
    clock: Clock,
    validation: Validation,
}

impl Verifier {
    /// A verifier of the tokens that `settings` describe.
    #[must_use]
    pub fn new(settings: &Token, jwks: Jwks, live: AllowList, clock: Clock) -> Self {
        Self {
            jwks,
            live,
            clock,
            validation: validation(settings),
        }
    }

    /// The claims of a token that is ours, whole, in its time and alive.
    ///
    /// # Errors
    /// Why not.
    pub async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let kid = key_id(token)?;
        let key = self
            .jwks
            .key(&kid)
            .await
            .map_err(|_| TokenError::Unavailable("its keys cannot be fetched"))?;
        let key = key.ok_or(TokenError::Invalid("its key is unknown"))?;
        let claims = check(token, &key, &self.validation, &self.clock)?;
        match self.live.contains(&claims.jti).await {
            Ok(true) => Ok(claims),
            Ok(false) => Err(TokenError::Revoked),
            Err(_) => Err(TokenError::Unavailable("the token store does not answer")),
        }
    }

    /// The claims of the request's bearer token, if it grants `scope`.
    ///
    /// # Errors
    /// 401, 403 or 503.
    pub async fn authorize(&self, request: &HttpRequest, scope: &str) -> Result<Claims, Problem> {
        let token = bearer(request).ok_or_else(|| {
            Problem::unauthorized(
                "There is no token. Send Authorization: Bearer with the token from /api/v1/auth/connect.",
            )
        })?;
        let claims = self.verify(token).await?;
        if claims.grants(scope) {
            return Ok(claims);
        }
        let message = format!(
            "The API client lacks the scope {scope}. Ask the operator for a client that has it."
        );
        Err(Problem::new(StatusCode::FORBIDDEN, message).with_static(
            header::WWW_AUTHENTICATE,
            r#"Bearer error="insufficient_scope""#,
        ))
    }
}

/// What is asked of signature and claims. Times are checked by [`check`], by the injected clock.
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

/// The `kid` of a token whose header is one that we write.
///
/// # Errors
/// The header is another.
pub fn key_id(token: &str) -> Result<String, TokenError> {
    let header = jsonwebtoken::decode_header(token)
        .map_err(|_| TokenError::Invalid("it is no JWT signed with RS256"))?;
    if header.alg != Algorithm::RS256 || header.typ.as_deref() != Some("JWT") {
        return Err(TokenError::Invalid("it is no JWT signed with RS256"));
    }
    header.kid.ok_or(TokenError::Invalid("it names no key"))
}

/// Signature, claims and time of a token. Leeway is 0: it is dead from the second of `exp` on.
///
/// # Errors
/// Why it is not accepted.
pub fn check(
    token: &str,
    key: &jsonwebtoken::DecodingKey,
    validation: &Validation,
    clock: &Clock,
) -> Result<Claims, TokenError> {
    let claims = jsonwebtoken::decode::<Claims>(token, key, validation)
        .map_err(|_| TokenError::Invalid("its signature or its claims are not ours"))?
        .claims;
    let now = clock.now().as_second();
    if now >= claims.exp {
        return Err(TokenError::Expired(claims.exp - claims.iat));
    }
    if now < claims.nbf {
        return Err(TokenError::Invalid("its time has not come"));
    }
    Ok(claims)
}
