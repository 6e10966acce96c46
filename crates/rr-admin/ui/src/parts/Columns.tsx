// A column chart of amounts in the order of time. What it shows is also there as a table, for those who cannot see
// it and for those who want to know exactly.

import { VisuallyHidden } from '@mantine/core';
import { scaleBand, scaleLinear } from '@visx/scale';
import { Bar } from '@visx/shape';

import styles from './parts.module.css';

export interface Column {
  name: string;
  value: number;
  /** The value in words. */
  text: string;
  /** Whether it is not complete yet. */
  partial: boolean;
}

const WIDTH = 360;
const HEIGHT = 72;

export function Columns({ caption, columns }: { caption: string; columns: Column[] }) {
  const values = columns.map((column) => column.value);
  const [least, largest] = [Math.min(0, ...values), Math.max(0, ...values)];
  const x = scaleBand({ domain: columns.map((column) => column.name), range: [0, WIDTH], padding: 0.25 });
  const y = scaleLinear({ domain: [least, largest === least ? least + 1 : largest], range: [HEIGHT, 0] });
  const ground = y(0);
  return (
    <>
      <svg
        aria-hidden="true"
        focusable="false"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        className={styles.columns}
      >
        {columns.map(({ name, value, text, partial }) => {
          const top = y(Math.max(value, 0));
          // A column that is nothing is still to be seen standing there.
          const height = Math.max(1, y(Math.min(value, 0)) - top);
          return (
            <Bar
              key={name}
              x={x(name)}
              y={Math.min(top, ground - (value < 0 ? 0 : height))}
              width={x.bandwidth()}
              height={height}
              className={partial ? styles.columnPartial : styles.barFill}
            >
              <title>{`${name}: ${text}`}</title>
            </Bar>
          );
        })}
      </svg>
      <VisuallyHidden component="table">
        <caption>{caption}</caption>
        <tbody>
          {columns.map(({ name, text, partial }) => (
            <tr key={name}>
              <th scope="row">{partial ? `${name} so far` : name}</th>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </VisuallyHidden>
    </>
  );
}
