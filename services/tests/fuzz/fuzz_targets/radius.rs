#![no_main]
use rollcall_formats::radius::{Request, raw_event};
use libfuzzer_sys::fuzz_target;
use md5::{Digest, Md5};

const SECRET: &[u8] = b"a secret of the fuzzer's";

// Parses the packet as it is, and with corrected code, length and Request Authenticator, so that
// the fuzzer reaches the code behind the check of the shared secret.
fuzz_target!(|packet: &[u8]| {
    let _ = Request::parse(packet, SECRET);
    let mut sealed = packet.to_vec();
    if let (20..=4096, Ok(length)) = (sealed.len(), u16::try_from(sealed.len())) {
        sealed[0] = 4;
        sealed[2..4].copy_from_slice(&length.to_be_bytes());
        sealed[4..20].fill(0);
        let signature = Md5::new().chain_update(&sealed).chain_update(SECRET).finalize();
        sealed[4..20].copy_from_slice(&signature);
        if let Ok(request) = Request::parse(&sealed, SECRET) {
            assert!(request.response(SECRET).len() <= sealed.len());
            raw_event(&request, rollcall_fuzz::arrival().at).into_iter().for_each(rollcall_fuzz::check);
        }
    }
});
