//! What is known of a request beside what it says: its id, and who sent it once that is found out. The
//! frame holds it from the first byte to the last, and handlers find it at the connection, which
//! serves one request at a time.

use std::cell::RefCell;
use std::rc::Rc;

use actix_web::HttpRequest;

use crate::auth::CallerId;
use crate::connection::Activity;
use crate::request_id::RequestId;

/// One request and its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) id: RequestId,
    /// Left here by the extractors.
    pub(crate) caller: RefCell<Option<CallerId>>,
}

impl Exchange {
    pub(crate) fn new(id: RequestId) -> Rc<Exchange> {
        Rc::new(Exchange { id, caller: RefCell::new(None) })
    }

    /// The id that the frame gave to a request.
    pub(crate) fn id_of(request: &HttpRequest) -> Option<String> {
        let activity = request.conn_data::<Rc<Activity>>()?;
        activity.with_exchange(|exchange| exchange.id.as_str().to_owned())
    }

    /// Notes who calls, for the line in the log and what is told about limits.
    pub(crate) fn note_caller(request: &HttpRequest, caller: CallerId) {
        if let Some(activity) = request.conn_data::<Rc<Activity>>() {
            activity.with_exchange(|exchange| exchange.caller.replace(Some(caller)));
        }
    }
}
