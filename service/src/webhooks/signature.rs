//! Whether an event was sent by who it says, and now (Standard Webhooks 1.0.0). A pure function of the
//! header fields, the bytes that arrived, the secrets and the time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use farmlokal_catalog::{EventId, Timestamp};
use hmac::Mac as _;

use super::source::SigningSecret;

/// How far the sender's clock and ours may be apart, the way included.
const TOLERANCE_SECONDS: u64 = 300;
const MICROS: i64 = 1_000_000;

/// The header fields of an event; `None` for one that is not there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signature<'a> {
    /// `webhook-id`
    pub id: Option<&'a str>,
    /// `webhook-timestamp`
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`
    pub signatures: Option<&'a str>,
}

/// Why an event is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A field is missing, or is not what the standard says.
    #[error("{0} {1}")]
    Malformed(&'static str, &'static str),
    /// It was signed too long ago, or lies in the future.
    #[error(
        "webhook-timestamp is more than {TOLERANCE_SECONDS} seconds from our time; sign each delivery anew and set the clock"
    )]
    Untimely,
    /// No signature fits.
    #[error("webhook-signature fits none of the source's secrets; sign id.timestamp.body, the body as it is sent")]
    Forged,
}

/// What a signature vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vouched {
    /// The event's id.
    pub(super) id: EventId,
    /// When it was sent.
    pub(super) sent_at: Timestamp,
}

impl Signature<'_> {
    /// Checks the time, and then that one of the signatures is one of `body` with one of `secrets`.
    pub(super) fn verify(
        &self,
        body: &[u8],
        secrets: &[SigningSecret],
        now: Timestamp,
    ) -> Result<Vouched, SignatureError> {
        let (id, vouched_id) = self.id()?;
        let (timestamp, sent_at) = self.timestamp()?;
        if sent_at.micros().abs_diff(now.micros()) > TOLERANCE_SECONDS * MICROS.unsigned_abs() {
            return Err(SignatureError::Untimely);
        }
        let signatures = self.signatures()?;
        let fits = secrets.iter().any(|secret| {
            // Hashed once a secret, however many signatures there are.
            let mut mac = secret.mac();
            [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].iter().for_each(|part| mac.update(part));
            // Compared in constant time.
            signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
        });
        if fits { Ok(Vouched { id: vouched_id, sent_at }) } else { Err(SignatureError::Forged) }
    }

    fn id(&self) -> Result<(&str, EventId), SignatureError> {
        let wrong =
            SignatureError::Malformed("webhook-id", "must be 1 to 255 visible ASCII characters without a full stop");
        let id = self.id.filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.')).ok_or(wrong)?;
        Ok((id, id.parse().map_err(|_| wrong)?))
    }

    fn timestamp(&self) -> Result<(&str, Timestamp), SignatureError> {
        let wrong = SignatureError::Malformed("webhook-timestamp", "must be whole seconds since 1970, in digits");
        let digits = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let text = self.timestamp.filter(digits).ok_or(wrong)?;
        let micros = text.parse().ok().and_then(|seconds: i64| seconds.checked_mul(MICROS));
        Ok((text, micros.and_then(Timestamp::from_micros).ok_or(wrong)?))
    }

    /// Those of the version we know; there may be others beside them.
    fn signatures(&self) -> Result<Vec<Vec<u8>>, SignatureError> {
        let wrong = SignatureError::Malformed(
            "webhook-signature",
            "must have a signature v1,BASE64, or several with a space between them",
        );
        let listed = self.signatures.ok_or(wrong)?.split(' ');
        let known: Vec<_> = listed.filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok()).collect();
        if known.is_empty() { Err(wrong) } else { Ok(known) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: i64 = 1_614_265_330;

    fn secret(text: &str) -> SigningSecret {
        text.parse().unwrap()
    }

    fn ours() -> SigningSecret {
        secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    }

    fn other() -> SigningSecret {
        secret("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * MICROS).unwrap()
    }

    fn verify(id: &str, timestamp: &str, signatures: &str, body: &[u8], now: i64) -> Result<Vouched, SignatureError> {
        let signature = Signature { id: Some(id), timestamp: Some(timestamp), signatures: Some(signatures) };
        signature.verify(body, &[ours()], at(now))
    }

    /// The example that the standard's own libraries are tested with.
    #[test]
    fn the_standards_example_is_right() {
        let known = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(ours().sign(ID, SENT, BODY), known);
        let vouched = Vouched { id: ID.parse().unwrap(), sent_at: at(SENT) };
        assert_eq!(verify(ID, &SENT.to_string(), known, BODY, SENT), Ok(vouched));
    }

    #[test]
    fn every_signed_part_counts() {
        let good = ours().sign(ID, SENT, BODY);
        let sent = SENT.to_string();
        let later = (SENT + 1).to_string();
        for (id, timestamp, body) in [
            ("msg_other", sent.as_str(), BODY),
            (ID, later.as_str(), BODY),
            (ID, sent.as_str(), br#"{"test":2432232314}"#),
            (ID, sent.as_str(), b""),
        ] {
            assert_eq!(verify(id, timestamp, &good, body, SENT), Err(SignatureError::Forged), "{id} {timestamp}");
        }
        assert_eq!(verify(ID, &format!("0{SENT}"), &good, BODY, SENT), Err(SignatureError::Forged));
        let cut = STANDARD.encode(&STANDARD.decode(&good[3..]).unwrap()[..31]);
        for forged in [format!("v1,{cut}"), format!("v1,{}", STANDARD.encode([0; 32])), "v1,".into()] {
            assert_eq!(verify(ID, &sent, &forged, BODY, SENT), Err(SignatureError::Forged), "{forged}");
        }
    }

    #[test]
    fn five_minutes_both_ways_are_tolerated() {
        let good = ours().sign(ID, SENT, BODY);
        for (now, expected) in [(-301, false), (-300, true), (0, true), (300, true), (301, false), (1_000_000, false)] {
            let verified = verify(ID, &SENT.to_string(), &good, BODY, SENT + now);
            assert_eq!(verified.is_ok(), expected, "{now}");
            assert!(expected || verified == Err(SignatureError::Untimely));
        }
    }

    #[test]
    fn one_of_several_signatures_with_one_of_several_secrets_is_enough() {
        let (good, old) = (ours().sign(ID, SENT, BODY), other().sign(ID, SENT, BODY));
        let sent = SENT.to_string();
        for list in [format!("{old} {good}"), format!("v1a,xyz= {good} v2,?"), format!("  {good} v1,???")] {
            assert!(verify(ID, &sent, &list, BODY, SENT).is_ok(), "{list}");
        }
        assert_eq!(verify(ID, &sent, &old, BODY, SENT), Err(SignatureError::Forged));
        let signature = Signature { id: Some(ID), timestamp: Some(&sent), signatures: Some(&old) };
        assert!(signature.verify(BODY, &[ours(), other()], at(SENT)).is_ok(), "while secrets are rotated");
        assert_eq!(signature.verify(BODY, &[], at(SENT)), Err(SignatureError::Forged));
    }

    #[test]
    fn fields_that_are_none_are_named() {
        let good = ours().sign(ID, SENT, BODY);
        let whole = Signature { id: Some(ID), timestamp: Some("1614265330"), signatures: Some(&good) };
        let field = |signature: Signature| match signature.verify(BODY, &[ours()], at(SENT)) {
            Err(SignatureError::Malformed(field, _)) => field,
            other => panic!("{other:?}"),
        };
        for id in [None, Some(""), Some("a.b"), Some("a b"), Some("é"), Some(&"x".repeat(256) as &str)] {
            assert_eq!(field(Signature { id, ..whole }), "webhook-id", "{id:?}");
        }
        for timestamp in [
            None,
            Some(""),
            Some("-1"),
            Some("+1614265330"),
            Some("1614265330.0"),
            Some(" 1"),
            Some(&"9".repeat(30) as &str),
            Some("99999999999999"),
        ] {
            assert_eq!(field(Signature { timestamp, ..whole }), "webhook-timestamp", "{timestamp:?}");
        }
        for signatures in [None, Some(""), Some("v1"), Some(&good[3..]), Some("v2,AAAA"), Some("v1,*")] {
            assert_eq!(field(Signature { signatures, ..whole }), "webhook-signature", "{signatures:?}");
        }
    }
}
