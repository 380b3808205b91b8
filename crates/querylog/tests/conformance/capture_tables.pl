#!/usr/bin/perl
# Distillates and tables by the rules of the installed pt-query-digest, one JSON line for each statement.
#   python3 statements.py 6000 1 | perl capture_tables.pl | gzip -9n > distillates_3.2.jsonl.gz
# Bytes stand for themselves. A table is its database, or `dd` where the statement names none, and its name.
use strict;
use warnings;
require '/usr/bin/pt-query-digest';

my $parser   = QueryParser->new;
my $quoter   = Quoter->new;
my $rewriter = QueryRewriter->new(QueryParser => $parser);

$/ = "\0";
while (my $query = <STDIN>) {
   chomp $query;
   my $distill = $rewriter->distill($query);
   my @tables  = $parser->extract_tables(query => $query, default_db => 'dd', Quoter => $quoter);
   my $tables  = join ',', map { '[' . join(',', map { quoted(defined $_ ? $_ : '') } @$_) . ']' } @tables;
   print '{"q":', quoted($query), ',"distill":', quoted($distill), ",\"tables\":[$tables]}\n";
}

sub quoted {
   my ($text) = @_;
   $text =~ s/(["\\])/\\$1/g;
   $text =~ s/([\x00-\x1f])/sprintf '\u%04x', ord $1/ge;
   return "\"$text\"";
}
