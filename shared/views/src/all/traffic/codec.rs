//! Fields of the table as bytes: behind one another, in its order, and read by the same walk along it.

use model::traffic::Value;
use model::traffic::fields::{Field, FieldPlace, Visit};
use postcard::de_flavors::Slice;
use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

/// Writes fields behind what is written already.
pub(super) struct Writer {
    serializer: postcard::Serializer<Buffer>,
    /// Those that stand here; the others are passed over.
    place: FieldPlace,
}

struct Buffer(Vec<u8>);

impl Flavor for Buffer {
    type Output = Vec<u8>;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

impl Writer {
    pub(super) fn new(place: FieldPlace, buffer: Vec<u8>) -> Self {
        Self { serializer: postcard::Serializer { output: Buffer(buffer) }, place }
    }

    /// How many bytes are written.
    pub(super) fn length(&self) -> usize {
        self.serializer.output.0.len()
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.serializer.output.0
    }
}

impl<'a, S: AsRef<str>> Visit<'a, (), S> for Writer {
    type Error = postcard::Error;

    #[inline]
    fn text(&mut self, field: Field, _: &mut Option<()>, text: &'a Option<S>) -> Result<(), postcard::Error> {
        if field.place != self.place {
            return Ok(());
        }
        text.as_ref().map(AsRef::as_ref).serialize(&mut self.serializer)
    }

    #[inline]
    fn value<V: Value>(&mut self, field: Field, _: &mut V, value: &'a V) -> Result<(), postcard::Error> {
        if field.place != self.place {
            return Ok(());
        }
        value.serialize(&mut self.serializer)
    }
}

/// Reads what [`Writer`] wrote.
pub(super) struct Reader<'r> {
    deserializer: postcard::Deserializer<'r, Slice<'r>>,
    place: FieldPlace,
}

impl<'r> Reader<'r> {
    pub(super) fn new(place: FieldPlace, bytes: &'r [u8]) -> Self {
        Self { deserializer: postcard::Deserializer::from_bytes(bytes), place }
    }
}

impl<'a, 'r, S: From<&'r str>> Visit<'a, S, ()> for Reader<'r> {
    type Error = postcard::Error;

    #[inline]
    fn text(&mut self, field: Field, text: &mut Option<S>, _: &'a Option<()>) -> Result<(), postcard::Error> {
        if field.place == self.place {
            *text = Option::<&'r str>::deserialize(&mut self.deserializer)?.map(S::from);
        }
        Ok(())
    }

    #[inline]
    fn value<V: Value>(&mut self, field: Field, value: &mut V, _: &'a V) -> Result<(), postcard::Error> {
        if field.place == self.place {
            *value = V::deserialize(&mut self.deserializer)?;
        }
        Ok(())
    }
}
