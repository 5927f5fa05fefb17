//! The socket of a connection: the kernel's, or one that plays a script.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::BufMut;
use rtnetlink::sys::{AsyncSocket, Socket, SocketAddr, TokioSocket};

use super::script::{Datagram, Script, messages};

thread_local! {
    static SCRIPT: RefCell<Option<Arc<Mutex<Script>>>> = const { RefCell::new(None) };
}

/// Does some work whose sockets play a script.
pub(super) fn with_script<T>(script: Script, work: impl FnOnce() -> T) -> T {
    let script = Arc::new(Mutex::new(script));
    SCRIPT.with(|here| here.replace(Some(script)));
    let result = work();
    SCRIPT.with(RefCell::take);
    result
}

/// A socket.
pub(in crate::netlink) enum Wire {
    Kernel(TokioSocket),
    Played(Played),
}

/// A socket that plays a script. The real one has only the options.
pub(in crate::netlink) struct Played {
    socket: Socket,
    script: Arc<Mutex<Script>>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    datagrams: VecDeque<Datagram>,
    reader: Option<Waker>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Played {
    fn send(&self, buffer: &[u8]) {
        let numbers = messages(buffer).into_iter().map(|message| message.number);
        let numbers: Vec<u32> = numbers.collect();
        let mut waiting = lock(&self.waiting);
        let answers = lock(&self.script).answer(&numbers);
        waiting.datagrams.extend(answers);
        if let Some(reader) = waiting.reader.take() {
            reader.wake();
        }
    }

    fn receive(&self, cx: &Context<'_>) -> Poll<Datagram> {
        let mut waiting = lock(&self.waiting);
        match waiting.datagrams.pop_front() {
            Some(datagram) => Poll::Ready(datagram),
            None => {
                waiting.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl AsyncSocket for Wire {
    fn socket_ref(&self) -> &Socket {
        match self {
            Self::Kernel(socket) => socket.socket_ref(),
            Self::Played(played) => &played.socket,
        }
    }

    fn socket_mut(&mut self) -> &mut Socket {
        match self {
            Self::Kernel(socket) => socket.socket_mut(),
            Self::Played(played) => &mut played.socket,
        }
    }

    fn new(protocol: isize) -> io::Result<Self> {
        match SCRIPT.with(|here| here.borrow().clone()) {
            None => TokioSocket::new(protocol).map(Self::Kernel),
            Some(script) => Ok(Self::Played(Played {
                socket: Socket::new(protocol)?,
                script,
                waiting: Mutex::default(),
            })),
        }
    }

    fn poll_send(&self, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send_to(cx, buffer, &SocketAddr::new(0, 0))
    }

    fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buffer: &[u8],
        address: &SocketAddr,
    ) -> Poll<io::Result<usize>> {
        let sent = match self {
            Self::Kernel(socket) => ready!(socket.poll_send_to(cx, buffer, address)),
            Self::Played(played) => {
                played.send(buffer);
                Ok(buffer.len())
            }
        };
        #[cfg(test)]
        super::record::sent(buffer);
        Poll::Ready(sent)
    }

    fn poll_recv<B: BufMut>(&self, cx: &mut Context<'_>, buffer: &mut B) -> Poll<io::Result<()>> {
        self.poll_recv_from(cx, buffer).map_ok(drop)
    }

    fn poll_recv_from<B: BufMut>(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut B,
    ) -> Poll<io::Result<SocketAddr>> {
        let (bytes, sender) = match self {
            Self::Kernel(socket) => ready!(socket.poll_recv_from_full(cx))?,
            Self::Played(played) => {
                let (sender, bytes) = ready!(played.receive(cx));
                (bytes, SocketAddr::new(sender, 0))
            }
        };
        #[cfg(test)]
        super::record::received(&bytes);
        buffer.put_slice(&bytes);
        Poll::Ready(Ok(sender))
    }

    fn poll_recv_from_full(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Vec<u8>, SocketAddr)>> {
        let mut bytes = Vec::new();
        let sender = ready!(self.poll_recv_from(cx, &mut bytes))?;
        Poll::Ready(Ok((bytes, sender)))
    }
}
