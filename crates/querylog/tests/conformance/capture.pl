#!/usr/bin/perl
# Fingerprints by the rules of the installed pt-query-digest, one JSON line for each line of fingerprints.jsonl on stdin.
#   zcat fingerprints.jsonl.gz | perl capture.pl | gzip -9n > fingerprints_3.2.jsonl.gz
# A key of the answer is left out where it equals `fp`. Bytes stand for themselves, as in the input.
use strict;
use warnings;
require '/usr/bin/pt-query-digest';

my %made = (
   fp      => QueryRewriter->new,
   numbers => QueryRewriter->new(match_embedded_numbers => 1),
   md5     => QueryRewriter->new(match_md5_checksums => 1),
);
my %plain = (n => "\n", t => "\t", r => "\r", f => "\f", b => "\b");

while (my $line = <STDIN>) {
   my ($text) = $line =~ m/"q":"((?:[^"\\]|\\.)*)"/s or die "no query: $line";
   $text =~ s{\\(u[0-9a-f]{4}|.)}{
      my $c = $1;
      $c =~ m/\Au(....)/s ? chr hex $1 : exists $plain{$c} ? $plain{$c} : $c;
   }gesx;
   my $fp = $made{fp}->fingerprint($text);
   my @pairs = "\"fp\":" . quoted($fp);
   for my $key (qw(numbers md5)) {
      my $other = $made{$key}->fingerprint($text);
      push @pairs, "\"$key\":" . quoted($other) if $other ne $fp;
   }
   print '{', join(',', @pairs), "}\n";
}

sub quoted {
   my ($text) = @_;
   $text =~ s/(["\\])/\\$1/g;
   $text =~ s/([\x00-\x1f])/sprintf '\u%04x', ord $1/ge;
   return "\"$text\"";
}
