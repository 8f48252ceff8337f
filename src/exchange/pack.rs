//! Ascending numbers in few bytes: the distances between them in LEB128.

/// Packs numbers that ascend, each once.
pub fn pack(numbers: &[u32]) -> Vec<u8> {
    let (mut bytes, mut last) = (Vec::new(), 0);
    for number in numbers {
        let mut distance = number.saturating_sub(last);
        last = *number;
        while distance > 0x7f {
            bytes.push(low_bits(distance) | 0x80);
            distance >>= 7;
        }
        bytes.push(low_bits(distance));
    }
    bytes
}

/// The numbers; none for bytes that hold something else.
pub fn unpack(bytes: &[u8]) -> Option<Vec<u32>> {
    let (mut numbers, mut distance, mut shift) = (Vec::<u32>::new(), 0_u32, 0_u32);
    for byte in bytes {
        let bits = u32::from(byte & 0x7f);
        distance |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits)?;
        shift += 7;
        if byte & 0x80 == 0 {
            let next = match numbers.last() {
                Some(last) => last.checked_add(distance).filter(|_| distance > 0)?,
                None => distance,
            };
            numbers.push(next);
            (distance, shift) = (0, 0);
        }
    }
    (shift == 0).then_some(numbers)
}

fn low_bits(number: u32) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packing_and_unpacking_are_inverse(numbers in proptest::collection::btree_set(any::<u32>(), 0..500)) {
            let numbers: Vec<u32> = numbers.into_iter().collect();
            prop_assert_eq!(unpack(&pack(&numbers)), Some(numbers));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let numbers = unpack(&bytes).unwrap_or_default();
            prop_assert!(numbers.is_sorted_by(|a, b| a < b));
        }
    }
}
