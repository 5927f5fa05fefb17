//! Programs that use a tap device.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use crate::netns::Netns;
use crate::process::{self, Output};

/// A Perl script that opens the tap `eth0` and reads frames until it has seen ARP and
/// IPv6. It prints `open` and `both`.
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

/// A Perl script that opens the tap as a user and a group that may not configure
/// networks.
const OPENER: &str = r#"
use Fcntl;
my ($user, $group) = @ARGV;
sysopen(my $tap, "/dev/net/tun", O_RDWR) or die "open: $!";
$) = "$group $group";
$> = $user;
my $request = pack("a16 s x22", "eth0", 0x1002);
ioctl($tap, 0x400454ca, $request) or die "ioctl: $!";
"#;

/// Opens the tap `eth0` as a user and a group, which are given by their IDs.
pub fn open_as(netns: &Netns, ids: [&str; 2]) -> Output {
    let mut perl = netns.command("perl");
    process::run(perl.args(["-e", OPENER]).args(ids), b"")
}

/// A program that reads from a tap until it has seen ARP and IPv6.
#[derive(Debug)]
pub struct TapReader {
    program: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl TapReader {
    /// Starts the program in a namespace, and waits until it has opened the tap.
    pub fn start(netns: &Netns) -> Self {
        let mut program = netns
            .command("perl")
            .args(["-e", READER])
            .stdout(Stdio::piped())
            .spawn()
            .expect("perl can be run");
        let lines = program.stdout.take().expect("stdout is a pipe");
        let mut reader = Self {
            program,
            lines: BufReader::new(lines).lines(),
        };
        assert_eq!(reader.next(), "open");
        reader
    }

    /// Waits until the program has seen both.
    pub fn sees_both(mut self) {
        assert_eq!(self.next(), "both");
        assert!(self.program.wait().expect("it ends").success());
    }

    fn next(&mut self) -> String {
        let line = self.lines.next().expect("it goes on");
        line.expect("its words can be read")
    }
}
