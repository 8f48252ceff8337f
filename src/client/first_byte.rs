//! Calls a function before the first byte of a request leaves: after names are resolved and the connection is
//! established, including TLS.

use std::cell::RefCell;
use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// What to call before a request.
pub type BeforeSend = Box<dyn FnOnce()>;

thread_local! {
    /// What to call before the next byte that this thread sends. The thread that asks for a request also sends it.
    static NEXT: RefCell<Option<BeforeSend>> = const { RefCell::new(None) };
}

/// Runs `request`, which sends one request and calls `before` first. It is not called if there is no connection.
pub(super) fn announced<T>(before: BeforeSend, request: impl FnOnce() -> T) -> T {
    NEXT.set(Some(before));
    let result = request();
    NEXT.take();
    result
}

/// The last connector of a chain. Each connection that it makes calls the function.
#[derive(Debug)]
pub(super) struct AnnouncingConnector;

/// A connection that calls the function.
#[derive(Debug)]
pub(super) struct Announcing<T>(T);

impl<In: Transport> Connector<In> for AnnouncingConnector {
    type Out = Announcing<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(Announcing))
    }
}

impl<T: Transport> Transport for Announcing<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if let Some(call) = NEXT.take() {
            call();
        }
        self.0.transmit_output(amount, timeout)
    }

    fn maybe_await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.maybe_await_input(timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
