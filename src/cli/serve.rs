//! placeholder
use super::exit::{Exit, Failure};
use super::settings::Serving;
pub(super) fn serve(serving: &Serving) -> Result<Exit, Failure> {
    let _config = serving.settings.config()?;
    let _ = &serving.organizer_secret_file;
    Ok(Exit::Done)
}
