//! Numbers that look random and are the same in every run (splitmix64).

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, not including, 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 up to, not including, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them, each as likely as the others.
    pub(crate) fn one_of<'a, T>(&mut self, these: &'a [T]) -> &'a T {
        &these[self.below(these.len() as u64) as usize]
    }

    /// One of them, the first the likeliest: the higher the power, the more so.
    pub(crate) fn early_of<'a, T>(&mut self, these: &'a [T], power: i32) -> &'a T {
        &these[(self.unit().powi(power) * these.len() as f64) as usize]
    }

    /// From 1 to `most`, mostly small.
    pub(crate) fn small(&mut self, most: f64) -> u64 {
        1 + (self.unit().powi(6) * most) as u64
    }

    /// Twenty characters, as such ids often look.
    pub(crate) fn id(&mut self) -> String {
        const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuv";
        (0..20).map(|_| char::from(*self.one_of(DIGITS))).collect()
    }

    /// In the form of a version 4 UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let (high, low) = (self.bits(), self.bits());
        let (first, second, third) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
        let (fourth, fifth) = (low >> 48 & 0xfff, low & 0xffff_ffff_ffff);
        format!("{first:08x}-{second:04x}-4{third:03x}-a{fourth:03x}-{fifth:012x}")
    }
}
