/* Reads a feed with libical and prints each session as a line of JSON.
 *
 * Local times are resolved by the feed's own VTIMEZONE, never by the system's zones, as in Evolution, KDE and Cyrus.
 */
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_line(char *buffer, size_t size, void *file) { return fgets(buffer, (int)size, file); }

static void json_string(const char *text)
{
    putchar('"');
    for (; text && *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static int json_instant(const char *name, icalcomponent *calendar, icalcomponent *event, icalproperty_kind kind)
{
    icalproperty *property = icalcomponent_get_first_property(event, kind);
    if (!property)
        return 0;
    struct icaltimetype time = icalvalue_get_datetime(icalproperty_get_value(property));
    const icaltimezone *zone = icaltimezone_get_utc_timezone();
    icalparameter *tzid = icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER);
    if (tzid) {
        zone = icalcomponent_get_timezone(calendar, icalparameter_get_tzid(tzid));
        if (!zone)
            return 0;
    } else if (!icaltime_is_utc(time)) {
        return 0; /* a floating time has no instant */
    }
    printf(", \"%s\": %lld", name, (long long)icaltime_as_timet_with_zone(time, zone));
    return 1;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file)
            return perror(argv[i]), 2;
        icalparser *parser = icalparser_new();
        icalparser_set_gen_data(parser, file);
        icalcomponent *calendar = icalparser_parse(parser, read_line);
        fclose(file);
        if (!calendar || icalcomponent_isa(calendar) != ICAL_VCALENDAR_COMPONENT)
            return fprintf(stderr, "%s: no calendar\n", argv[i]), 1;
        if (icalcomponent_count_errors(calendar) > 0)
            return fprintf(stderr, "%s: %d errors\n", argv[i], icalcomponent_count_errors(calendar)), 1;
        icalcomponent *event = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);
        for (; event; event = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT)) {
            printf("{\"file\": ");
            json_string(argv[i]);
            printf(", \"uid\": ");
            json_string(icalcomponent_get_uid(event));
            printf(", \"summary\": ");
            json_string(icalcomponent_get_summary(event));
            printf(", \"description\": ");
            json_string(icalcomponent_get_description(event));
            printf(", \"status\": ");
            json_string(icalproperty_status_to_string(icalcomponent_get_status(event)));
            if (!json_instant("start", calendar, event, ICAL_DTSTART_PROPERTY) ||
                !json_instant("end", calendar, event, ICAL_DTEND_PROPERTY))
                return fprintf(stderr, "%s: a time that is no instant\n", argv[i]), 1;
            printf("}\n");
        }
        icalcomponent_free(calendar);
        icalparser_free(parser);
    }
    return 0;
}
