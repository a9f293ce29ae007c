# shellcheck shell=bash
# How a mutant changes its file, for both kinds of mutants. Needs $root, the project's folder.

# change MUTANT SOURCE_OUT: writes the file with its texts replaced; fails unless each is there once.
change() {
  local rest old new file content without
  rest=$(<"$1")
  file=$(sed -n 's/^file: //p' "$1")
  content=$(<"$root/$file")
  while [[ $rest == *$'\n<<<<\n'* ]]; do
    rest=${rest#*$'\n<<<<\n'}
    old=${rest%%$'\n====\n'*}
    rest=${rest#*$'\n====\n'}
    new=$'\n'$rest
    new=${new%%$'\n>>>>'*}
    new=${new#$'\n'}
    without=${content/"$old"/}
    if [[ $content != *"$old"* || $without == *"$old"* ]]; then
      echo "$1: $file does not have its text just once: bring the mutant up to date" >&2
      return 1
    fi
    content=${content/"$old"/"$new"}
  done
  printf '%s\n' "$content" >"$2"
}
