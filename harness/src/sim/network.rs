//! The network: one directed link for each ordered pair of ends, each with a pace and a stream of its own.
//!
//! ```text
//!   A → B   mean 0.7 ms    ──►  due 0.5 … 1.1 ms, one in 100 ten times later
//!   B → A   mean 2.9 ms    ──►  links are unequal, also the two directions of one pair
//! ```
//!
//! Between nodes a message may be lost, doubled, and overtaken: the protocol has to bear all of it, and
//! real networks do all of it, though TCP hides it. Between clients and nodes the network is what a
//! connection is: nothing is lost or doubled.
//!
//! A cut link carries nothing. What a *client* or a node's answer to one sends into it is held, and
//! arrives after the heal, as the live proxy has it: a late request takes effect late. What a *node*
//! sends to another is held once in four times, else lost, as a node's connections give up and are
//! opened anew.
//!
//! Between regions a message takes as long as they are apart ([`Late`]), in order, whatever the pace of the link.
//!
//! A slow link delivers late and in order, as the live proxy does. A clogged one delivers when its clog is
//! over, and what single messages suffer ([`Harm`]) comes on top of what any link does.

use histories::Nanos;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::rng::Seed;

/// The least mean latency of a link.
const MEAN_MIN: Nanos = Nanos(200_000);
/// How many doublings it may be above that; each is as likely as the next.
const DOUBLINGS: u32 = 4;
/// Of so many messages one is ten times as late.
const LATE_ONE_IN: u32 = 100;
/// Of so many messages between nodes one is lost.
const LOST_ONE_IN: u32 = 2000;
/// Of so many messages between nodes one is doubled.
const DOUBLED_ONE_IN: u32 = 200;
/// Of so many messages between nodes that meet a cut one is held for the heal.
const HELD_ONE_IN: u32 = 4;

/// One end of a link: a node by its number, or the clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Node(usize),
    Clients,
}

/// A fault of the schedule by its number.
pub(super) type FaultIndex = usize;

/// All links of a world; `T` is what travels.
pub(super) struct Network<T> {
    nodes: usize,
    links: Vec<Link<T>>,
}

struct Link<T> {
    /// Both ends are nodes.
    rough: bool,
    mean: Nanos,
    rng: ChaCha8Rng,
    /// The faults that cut it.
    cut_by: Vec<FaultIndex>,
    slow_by: Option<(FaultIndex, Late)>,
    harmed_by: Vec<(FaultIndex, Harm)>,
    held: Vec<(T, Option<Late>)>,
    /// When the last message over a slow or far link is due: none overtakes it.
    last_due: Nanos,
}

/// How late a slow or far link delivers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Late {
    pub(super) mean: Nanos,
    /// Around the mean, evenly spread; at most the mean.
    pub(super) jitter: Nanos,
}

/// What a fault does to some of the messages on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Harm {
    /// So many of a hundred are lost.
    Lose(u32),
    /// So many of a hundred arrive twice.
    Duplicate(u32),
    /// So many of a hundred are up to so late, and do not keep their place.
    Reorder(u32, Nanos),
    /// What is sent while it is clogged arrives when that is over.
    Clog(Clog),
}

/// When a link is clogged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clog {
    /// When its first period began.
    pub(super) began: Nanos,
    /// From the beginning of a period until it is clogged.
    pub(super) after: Nanos,
    pub(super) length: Nanos,
    pub(super) period: Nanos,
}

impl Clog {
    /// How long a message of `now` waits until the link is clear.
    fn wait(self, now: Nanos) -> Nanos {
        let since = Nanos(now.since(self.began).0 % self.period.0);
        let end = self.after + self.length;
        if since >= self.after { end.since(since) } else { Nanos(0) }
    }
}

/// What a fault did to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Harmed {
    Lost,
    Doubled,
    Late(Nanos),
}

/// What becomes of a message.
pub(super) enum Fate<T> {
    /// It arrives then.
    Arrives(Nanos, T),
    /// It arrives twice.
    ArrivesTwice([Nanos; 2], T),
    /// It is gone, and no fault is to blame.
    Lost,
    /// A cut has it: it waits there, or is gone.
    Cut {
        /// It waits for the heal.
        held: bool,
        by: Vec<FaultIndex>,
    },
    /// A slow link has it: it arrives then.
    Slowed(Nanos, T, FaultIndex),
    /// Faults met it on its way: it arrives at these times, if at any.
    Harmed { arrivals: Vec<Nanos>, message: T, by: Vec<(FaultIndex, Harmed)> },
}

impl<T> Network<T> {
    pub(super) fn new(nodes: usize, seed: Seed) -> Self {
        let ends = nodes + 1;
        let link = |index: usize| {
            let (from, to) = (index / ends, index % ends);
            let mut rng = seed.fork(&format!("{from} to {to}")).stream();
            // Whole numbers only: a logarithm may differ from machine to machine.
            let least = MEAN_MIN.0 << rng.random_range(0..DOUBLINGS);
            let mean = Nanos(rng.random_range(least..2 * least));
            let rough = from < nodes && to < nodes;
            let (cut_by, slow_by, harmed_by, held) = (Vec::new(), None, Vec::new(), Vec::new());
            Link { rough, mean, rng, cut_by, slow_by, harmed_by, held, last_due: Nanos(0) }
        };
        Self { nodes, links: (0..ends * ends).map(link).collect() }
    }

    fn link(&mut self, from: End, to: End) -> &mut Link<T> {
        let nodes = self.nodes;
        let place = |end: End| match end {
            End::Node(node) => node,
            End::Clients => nodes,
        };
        &mut self.links[place(from) * (nodes + 1) + place(to)]
    }

    /// Sends a message at `now`, as far as the ends are apart if that is said.
    pub(super) fn send(&mut self, now: Nanos, from: End, to: End, far: Option<Late>, message: T) -> Fate<T> {
        self.link(from, to).send(now, far, message)
    }

    /// From now on until [`Network::restore`] nothing passes.
    pub(super) fn cut(&mut self, from: End, to: End, fault: FaultIndex) {
        self.link(from, to).cut_by.push(fault);
    }

    /// The fault cuts no more. If no other does, gives what was held, each with the time when it arrives.
    pub(super) fn restore(&mut self, now: Nanos, from: End, to: End, fault: FaultIndex) -> Vec<(Nanos, T)> {
        let link = self.link(from, to);
        link.cut_by.retain(|other| *other != fault);
        if !link.cut_by.is_empty() {
            return Vec::new();
        }
        let held = std::mem::take(&mut link.held);
        held.into_iter().map(|(message, far)| (link.due(now, far), message)).collect()
    }

    /// Delivers late from now on.
    pub(super) fn slow(&mut self, from: End, to: End, fault: FaultIndex, late: Late) {
        self.link(from, to).slow_by = Some((fault, late));
    }

    /// Delivers at its own pace again; what is on its way keeps its time.
    pub(super) fn unslow(&mut self, from: End, to: End) {
        self.link(from, to).slow_by = None;
    }

    /// Some messages are harmed from now on.
    pub(super) fn harm(&mut self, from: End, to: End, fault: FaultIndex, harm: Harm) {
        self.link(from, to).harmed_by.push((fault, harm));
    }

    /// The fault harms no more; what is on its way keeps its time.
    pub(super) fn spare(&mut self, from: End, to: End, fault: FaultIndex) {
        self.link(from, to).harmed_by.retain(|(other, _)| *other != fault);
    }
}

impl<T> Link<T> {
    fn send(&mut self, now: Nanos, far: Option<Late>, message: T) -> Fate<T> {
        if !self.cut_by.is_empty() {
            let held = !self.rough || self.one_in(HELD_ONE_IN);
            if held {
                self.held.push((message, far));
            }
            return Fate::Cut { held, by: self.cut_by.clone() };
        }
        if self.rough && self.one_in(LOST_ONE_IN) {
            return Fate::Lost;
        }
        if !self.harmed_by.is_empty() {
            return self.harmed(now, far, message);
        }
        if let Some((fault, late)) = self.slow_by {
            return Fate::Slowed(self.slowed(now, far, late), message, fault);
        }
        let due = self.due(now, far);
        if self.rough && self.one_in(DOUBLED_ONE_IN) {
            return Fate::ArrivesTwice([due, self.due(now, far)], message);
        }
        Fate::Arrives(due, message)
    }

    /// The way over a link with faults that meet single messages, each by its own chance.
    fn harmed(&mut self, now: Nanos, far: Option<Late>, message: T) -> Fate<T> {
        let mut by = Vec::new();
        let due = match self.slow_by {
            Some((fault, late)) => {
                let due = self.slowed(now, far, late);
                by.push((fault, Harmed::Late(due.since(now))));
                due
            }
            None => self.due(now, far),
        };
        let mut arrivals = vec![due];
        for (fault, harm) in self.harmed_by.clone() {
            match harm {
                Harm::Lose(percent) => {
                    if self.rng.random_range(0..100) < percent {
                        arrivals.clear();
                        by.push((fault, Harmed::Lost));
                    }
                }
                Harm::Duplicate(percent) => {
                    if self.rng.random_range(0..100) < percent && !arrivals.is_empty() {
                        arrivals.push(self.due(now, far));
                        by.push((fault, Harmed::Doubled));
                    }
                }
                Harm::Reorder(percent, most) => {
                    if self.rng.random_range(0..100) < percent && !arrivals.is_empty() {
                        let late = Nanos(self.rng.random_range(1..=most.0));
                        arrivals[0] = arrivals[0] + late;
                        by.push((fault, Harmed::Late(late)));
                    }
                }
                Harm::Clog(clog) => {
                    let wait = clog.wait(now);
                    if wait > Nanos(0) && !arrivals.is_empty() {
                        arrivals.iter_mut().for_each(|arrival| *arrival = *arrival + wait);
                        by.push((fault, Harmed::Late(wait)));
                    }
                }
            }
        }
        Fate::Harmed { arrivals, message, by }
    }

    /// When a message that a slow link takes at `now` arrives: after all that it took before.
    fn slowed(&mut self, now: Nanos, far: Option<Late>, late: Late) -> Nanos {
        let drawn = self.drawn(late);
        let way = match far {
            Some(far) => self.drawn(far),
            None => self.latency(),
        };
        self.last_due = (now + way + drawn).max(self.last_due);
        self.last_due
    }

    /// When a message that is sent at `now` arrives: over a far link after all that were sent before.
    fn due(&mut self, now: Nanos, far: Option<Late>) -> Nanos {
        match far {
            None => now + self.latency(),
            // Clients have a connection each: one does not wait for what another sent.
            Some(far) if !self.rough => now + self.drawn(far),
            Some(far) => {
                self.last_due = (now + self.drawn(far)).max(self.last_due);
                self.last_due
            }
        }
    }

    fn drawn(&mut self, Late { mean, jitter }: Late) -> Nanos {
        Nanos(self.rng.random_range(mean.0 - jitter.0..=mean.0 + jitter.0))
    }

    /// Half to one and a half of the mean, and rarely ten times that.
    fn latency(&mut self) -> Nanos {
        let drawn = self.rng.random_range(self.mean.0 / 2..self.mean.0 * 3 / 2);
        Nanos(if self.one_in(LATE_ONE_IN) { drawn * 10 } else { drawn })
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.rng.random_range(0..count) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: End = End::Node(0);
    const B: End = End::Node(1);

    #[test]
    fn a_cut_keeps_what_clients_send_and_loses_most_of_what_nodes_send() {
        let mut network = Network::new(2, Seed(1));
        network.cut(End::Clients, A, 7);
        network.cut(A, B, 7);
        let mut held = [0, 0];
        for number in 0..100 {
            for (count, from, to) in [(0, End::Clients, A), (1, A, B)] {
                let Fate::Cut { held: kept, by } = network.send(Nanos(0), from, to, None, number) else {
                    panic!("it passed")
                };
                assert_eq!(by, [7]);
                held[count] += usize::from(kept);
            }
        }
        assert_eq!(held[0], 100);
        assert!((10..45).contains(&held[1]), "{held:?}");
        assert!(matches!(network.send(Nanos(0), B, A, None, 0), Fate::Arrives(..)));
        let late = network.restore(Nanos(500), End::Clients, A, 7);
        assert!(late.iter().map(|(_, number)| *number).eq(0..100) && late.iter().all(|(due, _)| due.0 > 500));
    }

    #[test]
    fn a_link_that_two_faults_cut_is_whole_after_the_second_heal() {
        let mut network = Network::new(2, Seed(1));
        network.cut(A, End::Clients, 0);
        network.cut(A, End::Clients, 1);
        network.send(Nanos(0), A, End::Clients, None, "answer");
        assert!(network.restore(Nanos(1), A, End::Clients, 0).is_empty());
        assert_eq!(network.restore(Nanos(2), A, End::Clients, 1).len(), 1);
    }

    #[test]
    fn a_slow_link_is_late_and_in_order() {
        let mut network = Network::new(2, Seed(3));
        let millis = Nanos::from_millis;
        network.slow(End::Clients, A, 0, Late { mean: millis(200), jitter: millis(50) });
        let mut last = Nanos(0);
        for number in 0..100_u64 {
            let Fate::Slowed(due, ..) = network.send(millis(number), End::Clients, A, None, number) else {
                panic!("it was not slowed")
            };
            assert!(due >= last && due >= millis(number + 150), "{due}");
            last = due;
        }
    }

    /// Sends a message each 0.1 ms; gives their arrivals.
    fn arrivals(harm: Harm) -> Vec<(u64, Vec<Nanos>)> {
        let mut network = Network::new(2, Seed(7));
        network.harm(A, B, 3, harm);
        let send = |number: u64| match network.send(Nanos(number * 100_000), A, B, None, number) {
            Fate::Harmed { arrivals, message, by } => {
                assert!(by.iter().all(|(fault, _)| *fault == 3));
                Some((message, arrivals))
            }
            _ => None,
        };
        (0..2000).filter_map(send).collect()
    }

    #[test]
    fn shares_of_messages_are_lost_and_doubled() {
        let count = |harm, times| arrivals(harm).iter().filter(|(_, at)| at.len() == times).count();
        let (lost, doubled) = (count(Harm::Lose(20), 0), count(Harm::Duplicate(50), 2));
        assert!((300..500).contains(&lost) && (850..1150).contains(&doubled), "{lost} {doubled}");
    }

    #[test]
    fn messages_overtake_each_other_by_up_to_what_was_asked_for() {
        let most = Nanos::from_millis(100);
        let mut order: Vec<(Nanos, u64)> =
            arrivals(Harm::Reorder(50, most)).into_iter().map(|(number, at)| (at[0], number)).collect();
        assert!(order.iter().all(|(at, number)| at.0 < number * 100_000 + most.0 + 60_000_000));
        order.sort();
        let overtaken = order.windows(2).filter(|pair| pair[0].1 > pair[1].1).count();
        assert!(overtaken > 500, "{overtaken}");
    }

    #[test]
    fn a_clog_holds_what_is_sent_until_it_is_over() {
        let millis = Nanos::from_millis;
        let clog = Clog { began: Nanos(0), after: millis(30), length: millis(50), period: millis(100) };
        for (number, at) in arrivals(Harm::Clog(clog)) {
            let sent = Nanos(number * 100_000);
            let phase = Nanos(sent.0 % 100_000_000);
            let clogged = phase >= millis(30) && phase < millis(80);
            let clear = Nanos(sent.0 - phase.0) + millis(80);
            assert!(!clogged || at[0] > clear, "{sent} arrives at {}", at[0]);
            assert!(clogged || at[0].since(sent) < millis(60));
        }
    }

    #[test]
    fn messages_between_nodes_are_lost_doubled_and_overtaken_now_and_then() {
        let mut network = Network::new(2, Seed(5));
        let (mut lost, mut doubled, mut overtaken, mut last) = (0, 0, 0, Nanos(0));
        for number in 0..10_000 {
            let due = match network.send(Nanos(number * 100_000), A, B, None, number) {
                Fate::Arrives(due, _) => due,
                Fate::ArrivesTwice([due, _], _) => {
                    doubled += 1;
                    due
                }
                _ => {
                    lost += 1;
                    continue;
                }
            };
            overtaken += usize::from(due < last);
            last = due;
        }
        assert!(lost > 0 && doubled > 10 && overtaken > 100, "{lost} {doubled} {overtaken}");
    }

    #[test]
    fn between_regions_a_message_takes_its_time_and_keeps_its_place() {
        let mut network = Network::new(2, Seed(5));
        let millis = Nanos::from_millis;
        let far = Some(Late { mean: millis(125), jitter: millis(75) });
        let mut last = Nanos(0);
        for number in 0..1000_u64 {
            let sent = millis(number * 20);
            if let Fate::Arrives(due, _) = network.send(sent, A, B, far, number) {
                assert!(due >= last && due >= sent + millis(50), "{due}");
                last = due;
            }
            let Fate::Arrives(due, _) = network.send(sent, End::Clients, A, far, number) else {
                panic!("lost")
            };
            assert!((50..=200).contains(&(due.since(sent).0 / 1_000_000)));
        }
    }
}
