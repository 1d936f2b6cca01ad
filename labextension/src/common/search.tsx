import React from 'react';
import { Icon } from './icons';

/**
 * A field that narrows a list by name; Escape empties it.
 */
export function SearchField({
  label,
  placeholder,
  wanted,
  onChange
}: {
  readonly label: string;
  readonly placeholder: string;
  readonly wanted: string;
  readonly onChange: (wanted: string) => void;
}): JSX.Element {
  return (
    <label className="jp-pycaret-search">
      <Icon name="search" />
      <input
        type="search"
        className="jp-pycaret-search__input"
        aria-label={label}
        placeholder={placeholder}
        value={wanted}
        onChange={event => onChange(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape' && wanted !== '') {
            event.stopPropagation();
            onChange('');
          } else if (event.key === 'Enter') {
            // In a form it would send it.
            event.preventDefault();
          }
        }}
      />
    </label>
  );
}
