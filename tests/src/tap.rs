//! Programs that use a tap.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use crate::netns::Netns;
use crate::process::{self, Output};

/// Opens the tap `eth0`, says so, reads frames until both families have asked
/// for a neighbour, and says that too.
const READER: &str = r#"
use Fcntl;
sysopen(my $tap, "/dev/net/tun", O_RDWR) or die "open: $!";
# TUNSETIFF with IFF_TAP | IFF_NO_PI.
my $request = pack("a16 s x22", "eth0", 0x1002);
ioctl($tap, 0x400454ca, $request) or die "ioctl: $!";
$| = 1;
print "open\n";
$SIG{ALRM} = sub { die "no packets" };
alarm 20;
my %seen;
until ($seen{0x0806} && $seen{0x86dd}) {
    sysread($tap, my $frame, 2000) or die "read: $!";
    $seen{unpack("x12 n", $frame)} = 1;
}
print "both\n";
"#;

/// Opens the tap as a user and a group that may not configure networks.
const OPENER: &str = r#"
use Fcntl;
my ($user, $group) = @ARGV;
sysopen(my $tap, "/dev/net/tun", O_RDWR) or die "open: $!";
$) = "$group $group";
$> = $user;
my $request = pack("a16 s x22", "eth0", 0x1002);
ioctl($tap, 0x400454ca, $request) or die "ioctl: $!";
"#;

/// Has a program of a user and a group, by their numbers, open the tap `eth0`.
pub fn open_as(netns: &Netns, ids: [&str; 2]) -> Output {
    let mut perl = netns.command("perl");
    process::run(perl.args(["-e", OPENER]).args(ids), b"")
}

/// A program that reads from a tap, until it has seen ARP and IPv6.
#[derive(Debug)]
pub struct TapReader {
    program: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl TapReader {
    /// Starts it in a namespace, and waits until it has the tap.
    pub fn start(netns: &Netns) -> Self {
        let mut program = netns
            .command("perl")
            .args(["-e", READER])
            .stdout(Stdio::piped())
            .spawn()
            .expect("perl can be run");
        let said = program.stdout.take().expect("stdout is a pipe");
        let mut reader = Self {
            program,
            said: BufReader::new(said).lines(),
        };
        assert_eq!(reader.next(), "open");
        reader
    }

    /// Waits until it has seen both.
    pub fn sees_both(mut self) {
        assert_eq!(self.next(), "both");
        assert!(self.program.wait().expect("it ends").success());
    }

    fn next(&mut self) -> String {
        let line = self.said.next().expect("it goes on");
        line.expect("its words can be read")
    }
}
