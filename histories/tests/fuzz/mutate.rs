//! Inputs that are almost right, made from right ones: what a fuzzer does, without instrumentation, so that it
//! needs no other compiler and an input is a function of its number.
//!
//! ```text
//!   sample    {:process 0, :type :ok, :time 10}
//!   word      {:process 0, :type :txn, :time 10}                   one word for another of the samples
//!   extreme   {:process 9223372036854775808, :type :ok, :time 10}
//!   splice    {:process 0, :type :o, :f :txn, :value [[:r 1 nil]]}  the start of one, the end of another
//!   nest      {:process [[[[[[[[[[[[[[0, :type :ok, :time 10}
//! ```
//!
//! Source of the kinds of changes: the havoc stage of AFL (Zalewski, 2014). Source of the generator: Steele,
//! Lea and Flood, OOPSLA 2014 (SplitMix64).

/// Numbers that only look random.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.bits() % limit as u64) as usize
    }

    pub(crate) fn one_of<'a, T>(&mut self, these: &'a [T]) -> &'a T {
        &these[self.below(these.len())]
    }
}

/// Right inputs, and the words that they are made of.
pub(crate) struct Samples {
    samples: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

/// No input is longer: what goes wrong goes wrong in a small one, too.
const LONGEST: usize = 1 << 16;

impl Samples {
    pub(crate) fn new(samples: Vec<Vec<u8>>) -> Self {
        let mut words: Vec<Vec<u8>> = samples.iter().flat_map(|sample| words(sample)).collect();
        words.sort();
        words.dedup();
        Self { samples, words }
    }

    /// The input of this number.
    pub(crate) fn input(&self, number: u64) -> Vec<u8> {
        let mut draw = Draw::new(number);
        let mut input = draw.one_of(&self.samples).clone();
        for _ in 0..=draw.below(6) {
            self.change(&mut draw, &mut input);
            input.truncate(LONGEST);
        }
        input
    }

    fn change(&self, draw: &mut Draw, input: &mut Vec<u8>) {
        if input.is_empty() {
            input.clone_from(draw.one_of(&self.samples));
        }
        let at = draw.below(input.len() + 1);
        let inside = at.min(input.len() - 1);
        match draw.below(12) {
            0 => input[inside] ^= 1 << draw.below(8),
            1 => input[inside] = draw.bits() as u8,
            2 => input.insert(at, *draw.one_of(b" \n\r\t\0,;:#_^[](){}\"\\-.0123456789aN\xff\xc3")),
            3 => drop(input.drain(piece(draw, input.len(), 16))),
            4 => input.truncate(at),
            5 => {
                let copied = input[piece(draw, input.len(), 400)].to_vec();
                insert(input, at, &copied.repeat(1 + draw.below(4)));
            }
            6 => {
                let other = draw.one_of(&self.samples);
                let from = draw.below(other.len() + 1);
                input.truncate(at);
                input.extend(&other[from..]);
            }
            7 => {
                let word: &Vec<u8> = draw.one_of(&self.words);
                insert(input, at, word);
            }
            8 | 9 => {
                let (word, others) = (word_at(input, inside), &self.words);
                input.splice(word, draw.one_of(others).iter().copied());
            }
            10 => {
                let word = word_at(input, inside);
                input.splice(word, draw.one_of(EXTREMES).bytes());
            }
            _ => {
                let opening = draw.one_of(NESTING);
                insert(input, at, opening.repeat(1 + draw.below(400)).as_bytes());
            }
        }
    }
}

const EXTREMES: &[&str] = &[
    "0",
    "-0",
    "-1",
    "00",
    "127",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
    "1e400",
    "0.1",
    "-",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "null",
    "nil",
    "nothing",
    "\u{feff}",
];

const NESTING: &[&str] =
    &["[", "{", "(", "#{", "[[", "{\"a\":", "{:a ", "#_ ", "#a ", "^a ", "[1 ", "\"", "]", "}"];

fn piece(draw: &mut Draw, length: usize, longest: usize) -> std::ops::Range<usize> {
    let begin = draw.below(length);
    begin..(begin + 1 + draw.below(longest)).min(length)
}

fn insert(input: &mut Vec<u8>, at: usize, what: &[u8]) {
    input.splice(at..at, what.iter().copied());
}

/// The word that a byte belongs to; the byte alone if it belongs to none.
fn word_at(input: &[u8], at: usize) -> std::ops::Range<usize> {
    let before = input[..at].iter().rev().take_while(|byte| is_of_word(**byte)).count();
    let after = input[at..].iter().take_while(|byte| is_of_word(**byte)).count();
    if after == 0 { at..at + 1 } else { at - before..at + after }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.' | 0x80..)
}

/// Words and numbers, and what stands between them.
fn words(sample: &[u8]) -> Vec<Vec<u8>> {
    let alike = |a: &u8, b: &u8| is_of_word(*a) == is_of_word(*b);
    sample.chunk_by(alike).filter(|word| word.len() < 40).map(<[u8]>::to_vec).collect()
}

/// The smallest part of an input that still fails: pieces are left out, ever smaller ones, while that goes.
/// Source: Zeller and Hildebrandt, IEEE TSE 2002, without its complements.
pub(crate) fn reduced(input: &[u8], fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut input = input.to_vec();
    let mut length = input.len() / 2;
    while length > 0 {
        let mut at = 0;
        while at < input.len() {
            let mut shorter = input.clone();
            shorter.drain(at..(at + length).min(input.len()));
            if fails(&shorter) { input = shorter } else { at += length }
        }
        length /= 2;
    }
    input
}

#[test]
fn a_failing_input_is_made_small() {
    let fails = |input: &[u8]| input.contains(&b'X') && input.contains(&b'Y');
    assert_eq!(reduced(b"one two X three four Y five six", fails), b"XY");
}

#[test]
fn an_input_is_a_function_of_its_number() {
    let samples = Samples::new(vec![b"{:type :ok, :time 10}".to_vec(), b"w(1,2,3,4)\n".to_vec()]);
    assert!((0..200).all(|number| samples.input(number) == samples.input(number)));
    let different: std::collections::BTreeSet<_> = (0..200).map(|number| samples.input(number)).collect();
    assert!(different.len() > 150, "{}", different.len());
}
