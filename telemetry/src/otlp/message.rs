//! The wire format of protocol buffers, as far as spans need it
//! (<https://protobuf.dev/programming-guides/encoding/>).

/// How a field's value stands on the wire.
const VARINT: u32 = 0;
const FIXED_64: u32 = 1;
const DELIMITED: u32 = 2;
const FIXED_32: u32 = 5;

/// A message that is being written. Fields are written as they are given, those of the default value too.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn varint(&mut self, field: u32, value: u64) {
        self.key(field, VARINT);
        self.number(value);
    }

    pub(super) fn fixed64(&mut self, field: u32, value: u64) {
        self.key(field, FIXED_64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn fixed32(&mut self, field: u32, value: u32) {
        self.key(field, FIXED_32);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A string, or bytes.
    pub(super) fn bytes(&mut self, field: u32, value: &[u8]) {
        self.key(field, DELIMITED);
        self.number(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    /// Fields that are written already.
    pub(super) fn raw(&mut self, fields: &[u8]) {
        self.0.extend_from_slice(fields);
    }

    /// A message, which `write` writes.
    pub(super) fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.key(field, DELIMITED);
        // Most have a length of one byte; the others move, which is cheaper than to measure all of them beforehand.
        let length_at = self.0.len();
        self.0.push(0);
        write(self);
        let length = self.0.len() - length_at - 1;
        if let Ok(byte @ ..0x80) = u8::try_from(length) {
            self.0[length_at] = byte;
        } else {
            let mut digits = Self::default();
            digits.number(length as u64);
            self.0.splice(length_at..=length_at, digits.0);
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn key(&mut self, field: u32, kind: u32) {
        self.number(u64::from(field << 3 | kind));
    }

    /// Seven bits a byte, the lowest first; all bytes but the last have their highest bit set.
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// The value of the only field of `message`, if that is the delimited field 1.
pub(super) fn only_field(message: &[u8]) -> Option<&[u8]> {
    let (&key, mut rest) = message.split_first()?;
    let (mut length, mut shift) = (0_u64, 0);
    loop {
        let (&byte, behind) = rest.split_first()?;
        rest = behind;
        length |= u64::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    (u32::from(key) == (1 << 3 | DELIMITED) && length == rest.len() as u64).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_as_long_as_they_need() {
        for length in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 100_000] {
            let (mut nested, mut flat) = (Message::default(), Message::default());
            nested.message(1, |inner| inner.0.resize(inner.0.len() + length, 7));
            flat.bytes(1, &vec![7; length]);
            assert_eq!(nested.0, flat.0, "{length}");
            assert_eq!(only_field(&flat.0).map(<[u8]>::len), Some(length));
        }
    }

    #[test]
    fn other_messages_have_no_only_field() {
        let two = [0x0a, 1, 7, 0x0a, 1, 7];
        for other in [
            &[][..],
            &[0x0a],
            &[0x0a, 0x80],
            &[0x0a, 2, 7],
            &[0x12, 1, 7],
            &two,
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ] {
            assert_eq!(only_field(other), None, "{other:?}");
        }
    }
}
