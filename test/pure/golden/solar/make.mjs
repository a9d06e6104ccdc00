// Writes solar.json: `npm install astronomy-engine@2.1.19` somewhere, then `node make.mjs` there.
import { writeFileSync } from 'node:fs';
import { Body, Observer, SearchAltitude, SearchHourAngle, SearchRiseSet } from 'astronomy-engine';

const places = { vienna: [48.2082, 16.3738], quito: [-0.1807, -78.4678], sydney: [-33.8688, 151.2093], honolulu: [21.3069, -157.8583], suva: [-18.1416, 178.4419], oslo: [59.9139, 10.7522] };
const days = ['2026-01-15', '2026-03-20', '2026-06-21', '2026-09-23', '2026-12-21', '2028-02-29'];
const altitudes = { dawn_astronomical: [1, -18], dawn_nautical: [1, -12], dawn_civil: [1, -6], dusk_civil: [-1, -6], dusk_nautical: [-1, -12], dusk_astronomical: [-1, -18] };

function next(event, observer, start, days) {
  if (event === 'sunrise') return SearchRiseSet(Body.Sun, observer, 1, start, days);
  if (event === 'sunset') return SearchRiseSet(Body.Sun, observer, -1, start, days);
  if (event === 'solar_noon') return SearchHourAngle(Body.Sun, observer, 0, start).time;
  const [direction, altitude] = altitudes[event];
  return SearchAltitude(Body.Sun, observer, direction, start, days, altitude);
}

const events = ['dawn_astronomical', 'dawn_nautical', 'dawn_civil', 'sunrise', 'solar_noon', 'sunset', 'dusk_civil', 'dusk_nautical', 'dusk_astronomical'];
const ordinary = Object.entries(places).flatMap(([place, [lat, lon]]) =>
  days.flatMap((day) => events.map((event) => [place, lat, lon, event, `${day}T00:00:00Z`])),
);
// Where the sun stays up or down for weeks: the next one that there is.
const polar = [
  ['tromso', 69.6492, 18.9553, 'sunrise', '2026-12-01T00:00:00Z'],
  ['tromso', 69.6492, 18.9553, 'sunset', '2026-06-01T00:00:00Z'],
  ['longyearbyen', 78.2232, 15.6267, 'sunrise', '2026-11-15T00:00:00Z'],
  ['longyearbyen', 78.2232, 15.6267, 'dusk_civil', '2026-04-20T00:00:00Z'],
  ['halley', -75.5674, -25.5165, 'sunset', '2026-11-20T00:00:00Z'],
];
const rows = [...ordinary, ...polar].map(([place, lat, lon, event, after]) => {
  const found = next(event, new Observer(lat, lon, 0), new Date(after), 250);
  return { place, lat, lon, event, after, next: found.date.toISOString() };
});
writeFileSync('solar.json', `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`);
