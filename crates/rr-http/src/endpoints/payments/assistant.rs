//! `POST /api/ai-assistant`: a question to the assistant.

use actix_web::HttpResponse;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::Body;
use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    #[schema(min_length = 1, max_length = 4000)]
    message: String,
}

/// Asks the assistant.
#[utoipa::path(post, path = "/api/ai-assistant", operation_id = "ask_assistant", tag = "assistant", request_body = Question,
    responses((status = 503, description = "This version has no assistant yet",
        body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(body: Body) -> Outcome<HttpResponse> {
    let Question { message } = body.json().await?;
    if !(1..=4000).contains(&message.chars().count()) {
        return Err(Problem::field("/message", "must have 1 to 4000 characters"));
    }
    Err(Problem::new(Code::AssistantUnavailable))
}
