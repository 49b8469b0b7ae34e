import { useState } from 'preact/hooks';
import { dateName, t } from '../../i18n/index.ts';
import { type Day, hoursOf, NEW_SPAN, type Span, WEEK, type Week, weekOf } from '../../state/opening-hours.ts';
import { IconButton } from '../parts/IconButton.tsx';
import { RuleSection } from './RuleSection.tsx';
import type { RulesFormProps } from './rules-form.ts';

const ZONES = Intl.supportedValuesOf('timeZone');
const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function HoursForm({ rules, save }: RulesFormProps) {
  const { manage } = t();
  const { schedule } = rules.effective;
  const [always, setAlways] = useState(schedule === null);
  const [timezone, setTimezone] = useState(schedule?.timezone ?? HERE);
  const [week, setWeek] = useState<Week>(() => (schedule === null ? OFFICE : weekOf(schedule.hours)));
  const [holidays, setHolidays] = useState<readonly string[]>(schedule?.holidays ?? []);
  const [holiday, setHoliday] = useState('');
  const setDay = (day: Day, spans: readonly Span[]): void => setWeek({ ...week, [day]: spans });
  const add = (): void => {
    if (holiday !== '' && !holidays.includes(holiday)) setHolidays([...holidays, holiday].sort());
    setHoliday('');
  };
  return (
    <RuleSection
      name="schedule"
      fixed={rules.fixed.includes('schedule')}
      saved={rules.saved.schedule !== undefined}
      onSave={() => save({ schedule: always ? null : { timezone, hours: hoursOf(week), holidays: [...holidays] } })}
      onClear={() => save({ schedule: null })}
    >
      <label class="check">
        <input
          type="checkbox"
          name="always"
          checked={always}
          onChange={(event) => setAlways(event.currentTarget.checked)}
        />
        {manage.alwaysOpen}
      </label>
      {!always && (
        <>
          <label class="narrow">
            {manage.timezone}
            <input
              name="timezone"
              list="zones"
              value={timezone}
              required
              spellcheck={false}
              onInput={(event) => setTimezone(event.currentTarget.value)}
            />
            <datalist id="zones">
              {ZONES.map((zone) => (
                <option key={zone} value={zone} />
              ))}
            </datalist>
          </label>
          <ul class="week">
            {WEEK.map((day) => (
              <DayRow key={day} day={day} spans={week[day]} onChange={(spans) => setDay(day, spans)} />
            ))}
          </ul>
          <div class="holidays">
            <label class="narrow">
              {manage.holiday}
              <input
                type="date"
                name="holiday"
                value={holiday}
                onInput={(event) => setHoliday(event.currentTarget.value)}
              />
            </label>
            <button type="button" class="quiet" data-action="add-holiday" disabled={holiday === ''} onClick={add}>
              {manage.add}
            </button>
          </div>
          {holidays.length > 0 && (
            <ul class="chips" aria-label={manage.holidays}>
              {holidays.map((date) => (
                <li key={date}>
                  {dateName(date)}
                  <IconButton
                    icon="close"
                    class="tiny"
                    label={manage.removeDate(dateName(date))}
                    onClick={() => setHolidays(holidays.filter((other) => other !== date))}
                  />
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </RuleSection>
  );
}

const OFFICE = weekOf({
  mon: ['09:00-18:00'],
  tue: ['09:00-18:00'],
  wed: ['09:00-18:00'],
  thu: ['09:00-18:00'],
  fri: ['09:00-18:00'],
});

interface DayRowProps {
  readonly day: Day;
  readonly spans: readonly Span[];
  readonly onChange: (spans: readonly Span[]) => void;
}

function DayRow({ day, spans, onChange }: DayRowProps) {
  const { manage } = t();
  const change = (index: number, part: Partial<Span>): void =>
    onChange(spans.map((span, at) => (at === index ? { ...span, ...part } : span)));
  const name = manage.days[day];
  return (
    <li class="week-day" data-day={day}>
      <label class="check">
        <input
          type="checkbox"
          checked={spans.length > 0}
          onChange={(event) => onChange(event.currentTarget.checked ? [NEW_SPAN] : [])}
        />
        {name}
      </label>
      <div class="spans">
        {spans.length === 0 && <span class="hint">{manage.closedDay}</span>}
        {spans.map((span, index) => (
          <span key={index} class="span">
            {(['from', 'to'] as const).map((edge) => (
              <input
                key={edge}
                type="time"
                required
                aria-label={`${name}: ${manage.edges[edge]}`}
                value={span[edge]}
                onInput={(event) => change(index, { [edge]: event.currentTarget.value })}
              />
            ))}
            {spans.length > 1 && (
              <IconButton
                icon="close"
                class="tiny"
                label={manage.removeSpan(name)}
                onClick={() => onChange(spans.filter((_, at) => at !== index))}
              />
            )}
          </span>
        ))}
        {spans.length > 0 && spans.length < 4 && (
          <IconButton
            icon="plus"
            class="tiny"
            label={manage.addSpan(name)}
            onClick={() => onChange([...spans, { from: '19:00', to: '21:00' }])}
          />
        )}
      </div>
    </li>
  );
}
