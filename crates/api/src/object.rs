//! JSON objects that must be objects. By itself, serde also reads a struct from a list of its
//! fields' values, which nobody means and no description of the API says.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Reads a struct from an object, and from nothing else.
///
/// # Errors
/// The deserializer's.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_any(Object(PhantomData)).map(|Of(value)| value)
}

/// Reads a list of structs, each from an object and from nothing else.
///
/// # Errors
/// The deserializer's.
pub fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    let all = Vec::<Of<T>>::deserialize(from)?;
    Ok(all.into_iter().map(|Of(value)| value).collect())
}

struct Of<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Of<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Object(PhantomData))
    }
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = Of<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Of<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Of)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Of<T>, A::Error> {
        Err(A::Error::custom("an object is expected, not a list"))
    }
}

#[cfg(test)]
mod tests {
    use crate::v1::tenants::CreateTenant;

    #[test]
    fn a_list_is_no_object_however_deep() {
        let read = |text: &str| {
            let mut from = serde_json::Deserializer::from_str(text);
            super::object::<_, CreateTenant>(&mut from)
        };
        let admin = r#"{"email": "a@b", "password": "p"}"#;
        assert!(read(&format!(r#"{{"name": "n", "admin": {admin}}}"#)).is_ok());
        for bad in
            [r#"["n", {"email": "a@b", "password": "p"}]"#, r#"{"name": "n", "admin": ["a", "p"]}"#]
        {
            let error = read(bad).expect_err("a list").to_string();
            assert!(error.starts_with("an object is expected"), "{error}");
        }
    }
}
