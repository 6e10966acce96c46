// A bar chart of named amounts. The names and numbers are text; the bars only show how they compare.

import { scaleLinear } from '@visx/scale';
import { Bar } from '@visx/shape';

import styles from './parts.module.css';

export interface BarRow {
  name: string;
  value: number;
  /** The value in words. */
  text: string;
  /** What else belongs to the name. */
  note?: string;
}

const HEIGHT = 6;

export function BarList({ rows }: { rows: BarRow[] }) {
  const largest = Math.max(0, ...rows.map((row) => row.value));
  const width = scaleLinear({ domain: [0, largest || 1], range: [0, 100] });
  return (
    <ul className={styles.bars}>
      {rows.map((row) => (
        <li key={row.name}>
          <span className={styles.barName}>
            {row.name}
            {row.note && <span className={styles.barNote}> {row.note}</span>}
          </span>
          <span className={styles.barText}>{row.text}</span>
          <svg aria-hidden="true" focusable="false" width="100%" height={HEIGHT} className={styles.bar}>
            <Bar width="100%" height={HEIGHT} rx={HEIGHT / 2} className={styles.barTrack} />
            {/* A net loss has no length; its amount is in the text. */}
            <Bar width={`${Math.max(0, width(row.value))}%`} height={HEIGHT} rx={HEIGHT / 2} className={styles.barFill} />
          </svg>
        </li>
      ))}
    </ul>
  );
}
