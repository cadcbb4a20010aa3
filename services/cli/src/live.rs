//! `rollcall live`

use rollcall_platform::{clock::Clock, settings};
use rollcall_store::{
    Pool,
    attendance::Moment,
    calendars,
    live::{self, OpenSession, Selection},
    persons::PersonFilter,
};
use serde_json::{Value, json};

use crate::{failure::CommandError, note, output::Output};

/// Number of sessions that one statement returns.
const PAGE: u32 = 10_000;

pub async fn run(pool: &Pool, settings: &settings::Reporting) -> Result<Output, CommandError> {
    let moment = Moment {
        now: Clock::System.now(),
        timeout: settings.session_timeout(),
    };
    let selection = Selection {
        persons: PersonFilter::default(),
        today: calendars::default(settings).day_of(moment.now)?,
    };
    pool.ask(async |connection| note(connection, "live", "all users", true).await)
        .await?;
    let mut sessions: Vec<Value> = Vec::new();
    let mut after = None;
    loop {
        let page = pool.ask(async |connection| {
            live::list(connection, &selection, after.as_ref(), PAGE, moment).await
        });
        let page = page.await?;
        sessions.extend(page.iter().map(row));
        after = page.last().map(OpenSession::position);
        if page.len() < PAGE as usize {
            break;
        }
    }
    Ok(Output::many(&sessions, &[], "No user is connected."))
}

fn row(session: &OpenSession) -> Value {
    json!({
        "user": session.user,
        "realm": session.realm,
        "employee_id": session.employee_id,
        "since": session.login_at,
        "client_ip": session.client_ip,
        "source": session.source,
        "last_activity_at": session.last_activity_at,
    })
}
