//! Rules of RFC 5545 and of the tools that write them.

use super::*;

fn civil(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").unwrap()
}

/// A rule's first times before `until` and before its own end, in a format of chrono.
fn times(rule: &str, start: &str, until: &str, most: usize, format: &str) -> Vec<String> {
    let rule = Recurrence::parse(rule).unwrap();
    let found = rule.times(civil(start), (civil(start), civil(until)), most);
    let ends = |time: &NaiveDateTime| rule.is_before_end(*time, time.and_utc());
    found.iter().filter(|time| ends(time)).map(|time| time.format(format).to_string()).collect()
}

/// Examples of RFC 5545, 3.8.5.3, and others that python-dateutil was asked for.
#[test]
fn rules_give_the_days_of_the_standard() {
    for (rule, start, expected) in [
        ("FREQ=DAILY;COUNT=3", "19970902T090000", "970902 970903 970904"),
        ("FREQ=DAILY;INTERVAL=10;COUNT=3", "19970902T090000", "970902 970912 970922"),
        ("FREQ=DAILY;UNTIL=19970904T000000Z", "19970902T090000", "970902 970903"),
        ("FREQ=DAILY;UNTIL=19970904", "19970902T090000", "970902 970903 970904"),
        ("FREQ=WEEKLY;COUNT=4;BYDAY=TU,TH", "19970902T090000", "970902 970904 970909 970911"),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            "19970805T090000",
            "970805 970810 970819 970824",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "19970805T090000",
            "970805 970817 970819 970831",
        ),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=1FR", "19970905T090000", "970905 971003 971107"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "19970922T090000", "970922 971020 971117"),
        ("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-1", "19970930T090000", "970930 971031 971130"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=FR;BYMONTHDAY=13", "19980213T090000", "980213 980313 981113"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "19970904T090000", "970904 971007 971106"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3", "19970929T090000", "970929 971030 971127"),
        ("FREQ=YEARLY;COUNT=3;BYMONTH=6,7", "19970610T090000", "970610 970710 980610"),
        ("FREQ=YEARLY;COUNT=3;BYYEARDAY=1,100,200", "19970101T090000", "970101 970410 970719"),
        ("FREQ=YEARLY;COUNT=3;BYDAY=20MO", "19970519T090000", "970519 980518 990517"),
        ("FREQ=YEARLY;COUNT=3;BYWEEKNO=20;BYDAY=MO", "19970512T090000", "970512 980511 990517"),
        (
            "FREQ=YEARLY;COUNT=2;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
            "19961105T090000",
            "961105 971104",
        ),
        (
            "FREQ=YEARLY;COUNT=2;BYMONTH=3;BYDAY=SU;BYMONTHDAY=8,9,10,11,12,13,14",
            "20070311T020000",
            "070311 080309",
        ),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=2", "19960229T090000", "960229 000229"),
        ("FREQ=DAILY;COUNT=3;BYMONTH=1;BYDAY=SU", "19980104T090000", "980104 980111 980118"),
    ] {
        assert_eq!(times(rule, start, "20400101T000000", 20, "%y%m%d").join(" "), expected, "{rule}");
    }
}

#[test]
fn a_rule_may_repeat_within_a_day() {
    for (rule, expected) in [
        ("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z", "02 09:00, 02 12:00, 02 15:00"),
        ("FREQ=MINUTELY;INTERVAL=90;COUNT=4", "02 09:00, 02 10:30, 02 12:00, 02 13:30"),
        ("FREQ=HOURLY;INTERVAL=10;COUNT=4", "02 09:00, 02 19:00, 03 05:00, 03 15:00"),
        ("FREQ=HOURLY;BYMINUTE=0,30;BYHOUR=9,10;COUNT=4", "02 09:00, 02 09:30, 02 10:00, 02 10:30"),
        ("FREQ=HOURLY;BYHOUR=9;BYDAY=TU,TH;COUNT=3", "02 09:00, 04 09:00, 09 09:00"),
        ("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9;COUNT=4", "02 09:00, 02 09:20, 02 09:40, 03 09:00"),
    ] {
        let found = times(rule, "19970902T090000", "19970910T000000", 50, "%d %H:%M");
        assert_eq!(found.join(", "), expected, "{rule}");
    }
}

#[test]
fn an_excluding_rule_has_its_start_only_if_it_matches() {
    let start = civil("19970902T090000");
    let excluded = |rule: &str| {
        let rule = Recurrence::parse(rule).unwrap();
        let found = rule.excluded(start, (start, civil("19970912T000000")), 50);
        found.into_iter().map(|time| time.format("%d").to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(excluded("FREQ=DAILY;INTERVAL=2;COUNT=2"), "02 04");
    assert_eq!(excluded("FREQ=WEEKLY;BYDAY=TH;COUNT=2"), "04 11");
}

#[test]
fn a_day_can_have_several_times_and_far_rules_are_fast() {
    let rule = Recurrence::parse("FREQ=DAILY;BYHOUR=9,14;BYMINUTE=0,30").unwrap();
    let start = civil("16010101T090000");
    let found = rule.times(start, (civil("20250325T000000"), civil("20250325T235959")), 100);
    let clocks: Vec<String> = found.iter().map(|time| time.format("%H:%M").to_string()).collect();
    assert_eq!(clocks, ["09:00", "09:30", "14:00", "14:30"]);
}

#[test]
fn other_rules_are_refused() {
    for bad in [
        "",
        "FREQ=SECONDLY",
        "FREQ=HOURLY;BYSETPOS=1",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=DAILY;BYDAY=XX",
        "COUNT=3",
        "FREQ=DAILY;UNTIL=soon",
        "FREQ=DAILY;RSCALE=HEBREW",
        "FREQ=YEARLY;BYDAY=0MO",
        "FREQ",
    ] {
        assert_eq!(Recurrence::parse(bad), None, "{bad}");
    }
}
